use std::sync::Arc;

use candle_core::{D, Device, Result, Tensor, Var};

use super::*;

fn values(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| (((i * 7919 + salt * 104_729) % 1_000) as f32 - 500.0) / 300.0).collect()
}

fn variable(shape: &[usize], salt: usize) -> Var {
    let tensor = Tensor::from_vec(values(shape.iter().product(), salt), shape, &Device::Cpu).unwrap();
    Var::from_tensor(&tensor).unwrap()
}

/// Compares values and gradients of two ways to compute the same thing, under random weights of the
/// result.
fn agree(given: &[&Var], ours: &dyn Fn() -> Result<Tensor>, theirs: &dyn Fn() -> Result<Tensor>) {
    let (ours, theirs) = (ours().unwrap(), theirs().unwrap());
    let weights = Tensor::from_vec(values(ours.elem_count(), 9), ours.shape(), &Device::Cpu).unwrap();
    let close = |a: &Tensor, b: &Tensor, what: &str| {
        let [a, b] = [a, b].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let most = b.iter().fold(1.0f32, |most, value| most.max(value.abs()));
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() < 2e-5 * most, "{what}: {a} for {b}");
        }
    };
    close(&ours, &theirs, "value");
    let gradients = |of: &Tensor| of.mul(&weights).unwrap().sum_all().unwrap().backward().unwrap();
    let (ours, theirs) = (gradients(&ours), gradients(&theirs));
    for (index, var) in given.iter().enumerate() {
        close(ours.get(var).unwrap(), theirs.get(var).unwrap(), &format!("gradient {index}"));
    }
}

#[test]
fn a_linear_layer_has_the_values_and_gradients_of_candle() {
    for (count, inputs, outputs) in [(1, 1, 1), (7, 20, 33), (70, 48, 16)] {
        let (x, w, b) =
            (variable(&[count, inputs], 1), variable(&[outputs, inputs], 2), variable(&[outputs], 3));
        agree(&[&x, &w, &b], &|| linear(&x, &w, &b), &|| x.matmul(&w.t()?)?.broadcast_add(&b));
    }
}

#[test]
fn a_norm_has_the_values_and_gradients_of_its_definition() {
    let (x, w, b) = (variable(&[9, 24], 1), variable(&[24], 2), variable(&[24], 3));
    agree(&[&x, &w, &b], &|| norm(&x, &w, &b, 1e-5), &|| {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + 1e-5)?.sqrt()?;
        centred.broadcast_div(&deviation)?.broadcast_mul(&w)?.broadcast_add(&b)
    });
}

#[test]
fn gelu_has_the_values_and_gradients_of_candle() {
    let x = Var::new((-600..600).map(|i| i as f32 / 50.0).collect::<Vec<_>>(), &Device::Cpu).unwrap();
    agree(&[&x], &|| gelu(&x), &|| x.gelu_erf());
}

#[test]
fn attention_has_the_values_and_gradients_of_its_definition() {
    let (heads, width) = (3, 10);
    let lengths: Arc<[usize]> = [5, 1, 19].into();
    let x = variable(&[25, 3 * heads * width], 1);
    let one = |start: usize, length: usize| -> Result<Tensor> {
        let part = x.narrow(0, start, length)?.reshape((length, 3, heads, width))?;
        let part = part.permute((1, 2, 0, 3))?;
        let [q, k, v] = [0, 1, 2].map(|i| part.get(i).unwrap().contiguous().unwrap());
        let scores = (q.matmul(&k.t()?.contiguous()?)? / (width as f64).sqrt())?;
        let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
        weights.matmul(&v)?.transpose(0, 1)?.contiguous()?.reshape((length, heads * width))
    };
    agree(&[&x], &|| attention(&x, &lengths, heads), &|| {
        Tensor::cat(&[one(0, 5)?, one(5, 1)?, one(6, 19)?], 0)
    });
    assert!(attention(&x, &[5, 5].into(), heads).is_err());
}

#[test]
fn cross_entropy_has_the_values_and_gradients_of_candle() {
    let (x, targets) = (variable(&[6, 40], 1), [0, 39, 7, 7, 21, 3]);
    let them = Tensor::new(&targets, &Device::Cpu).unwrap();
    agree(&[&x], &|| cross_entropy(&x, &targets), &|| candle_nn::loss::cross_entropy(&x, &them));
    assert!(cross_entropy(&x, &[0; 5]).is_err() && cross_entropy(&x, &[40; 6]).is_err());
}
