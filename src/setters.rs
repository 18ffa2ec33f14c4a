/// Defines setters of options, each for the field of its name.
macro_rules! setters {
    ($($name:ident: $type:ty $(=> $value:expr)?, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            #[must_use]
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = setters!(@ $name $($value)?);
                self
            }
        )*
    };
    (@ $name:ident) => { $name };
    (@ $name:ident $value:expr) => { $value };
}
pub(crate) use setters;
