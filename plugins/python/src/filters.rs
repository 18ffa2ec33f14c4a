//! Filters from Python: expressions, and dictionaries of fields and operators as other databases have them.

use postil::{Filter, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList};

use crate::errors::{input, input_type, library, type_name};
use crate::texts::text;
use crate::values::from_python;

/// Operators, for messages.
const OPERATORS: &str = "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $contains, $exists";

/// A filter: an expression, or a dictionary such as `{"year": {"$gte": 2020}, "lang": "en"}`; `None` for
/// `None` and for a dictionary without conditions.
pub(crate) fn filter(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Filter>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    if let Ok(conditions) = value.cast::<PyDict>() {
        return all_of(conditions);
    }
    let expression = text(value, "a filter")?;
    let parsed = expression.parse::<Filter>();
    parsed.map(Some).map_err(|error| library(value.py(), &error.into()))
}

/// All conditions of a dictionary.
fn all_of(conditions: &Bound<'_, PyDict>) -> PyResult<Option<Filter>> {
    let mut all = None;
    for (name, wanted) in conditions {
        let one = match text(&name, "a field of a filter")?.as_str() {
            "$and" => several(&wanted, Filter::and)?,
            "$or" => several(&wanted, Filter::or)?,
            "$not" => negated(&wanted)?,
            field if field.starts_with('$') => {
                let message = format!("a filter has {field}, it may have $and, $or and $not of dictionaries");
                return Err(input(wanted.py(), message));
            }
            field => of_field(field, &wanted)?,
        };
        all = joined(all, one, Filter::and);
    }
    Ok(all)
}

fn joined(all: Option<Filter>, one: Option<Filter>, join: fn(Filter, Filter) -> Filter) -> Option<Filter> {
    match (all, one) {
        (Some(all), Some(one)) => Some(join(all, one)),
        (all, one) => all.or(one),
    }
}

fn several(conditions: &Bound<'_, PyAny>, join: fn(Filter, Filter) -> Filter) -> PyResult<Option<Filter>> {
    let Ok(list) = conditions.cast::<PyList>() else {
        return Err(input_type(conditions.py(), "$and and $or take a list of dictionaries"));
    };
    let mut all = None;
    for one in list {
        let Some(one) = filter(Some(&one))? else {
            return Err(input(conditions.py(), "$and and $or take no empty dictionaries"));
        };
        all = joined(all, Some(one), join);
    }
    Ok(all)
}

fn negated(condition: &Bound<'_, PyAny>) -> PyResult<Option<Filter>> {
    match filter(Some(condition))? {
        Some(condition) => Ok(Some(Filter::Not(Box::new(condition)))),
        None => Err(input(condition.py(), "$not takes no empty dictionary")),
    }
}

/// The conditions on one field: a value to equal, or a dictionary of operators.
fn of_field(field: &str, wanted: &Bound<'_, PyAny>) -> PyResult<Option<Filter>> {
    let operators = wanted.cast::<PyDict>().ok();
    let Some(operators) = operators else { return Ok(Some(Filter::eq(field, from_python(wanted)?))) };
    let mut all = None;
    for (operator, operand) in operators {
        let one = compared(field, &text(&operator, "an operator of a filter")?, &operand)?;
        all = joined(all, Some(one), Filter::and);
    }
    Ok(all)
}

fn compared(field: &str, operator: &str, operand: &Bound<'_, PyAny>) -> PyResult<Filter> {
    let py = operand.py();
    let value = || from_python(operand);
    Ok(match operator {
        "$eq" => Filter::eq(field, value()?),
        "$ne" => Filter::ne(field, value()?),
        "$gt" => Filter::gt(field, value()?),
        "$gte" => Filter::ge(field, value()?),
        "$lt" => Filter::lt(field, value()?),
        "$lte" => Filter::le(field, value()?),
        "$contains" => Filter::contains(field, value()?),
        "$in" => Filter::one_of(field, listed(operand)?),
        "$nin" => Filter::Not(Box::new(Filter::one_of(field, listed(operand)?))),
        "$exists" => match operand.cast::<PyBool>() {
            Ok(wanted) if wanted.is_true() => Filter::exists(field),
            Ok(_) => Filter::Not(Box::new(Filter::exists(field))),
            Err(_) => return Err(input_type(py, "$exists takes True or False")),
        },
        other => {
            let message = format!("a filter has the operator {other} on {field}; there are {OPERATORS}");
            return Err(input(py, message));
        }
    })
}

fn listed(operand: &Bound<'_, PyAny>) -> PyResult<Vec<Value>> {
    match from_python(operand)? {
        Value::List(values) => Ok(values),
        _ => Err(input_type(operand.py(), format!("$in takes a list, not {}", type_name(operand)))),
    }
}
