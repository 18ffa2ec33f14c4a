//! Origins of the pieces of an answer, as the single most probable path (Viterbi 1967) of the chain
//! that the decoder sums over: a piece is pointed at, follows the piece before, or is generated.

use postil_contract::TokenId;

use super::memory::Memory;
use super::network::Network;
use super::walk::step;

/// A path to the last piece so far: the position it was copied from, `None` if it was generated.
#[derive(Clone, Copy)]
struct Way {
    position: Option<usize>,
    log_prob: f64,
    /// Index of the path to the previous piece that this one continues.
    from: usize,
}

/// The position in the input that each of `tokens` was copied from under this passage, `None` if it
/// was generated. `nodes` are their prefixes, from the empty one on; words only, without an end
/// token.
pub(super) fn most_probable(
    network: &Network,
    memory: &Memory,
    tokens: &[TokenId],
    nodes: &[usize],
) -> Vec<Option<usize>> {
    let prefixes = memory.prefixes();
    let mut ways: Vec<Vec<Way>> = vec![vec![Way { position: None, log_prob: 0.0, from: 0 }]];
    for (token, node) in tokens.iter().zip(nodes) {
        let prefix = prefixes.at(*node);
        let step = step(prefix);
        let before = ways.last().expect("starts with one");
        let best = |p: &dyn Fn(Option<usize>) -> f32| {
            let through = |way: &Way| way.log_prob + f64::from(p(way.position)).ln();
            let scored = before.iter().map(through).enumerate();
            scored.max_by(|a, b| a.1.total_cmp(&b.1)).expect("there is always a way: generating")
        };
        let mut after: Vec<Way> = memory
            .positions(*token)
            .map(|position| {
                let pointed = step.point * step.attention[position];
                let follows = |from: Option<usize>| from.is_some_and(|from| from + 1 == position);
                let (from, log_prob) = best(&|from| pointed + if follows(from) { step.go_on } else { 0.0 });
                Way { position: Some(position), log_prob, from }
            })
            .collect();
        let word = network.generated(step, *token).exp();
        let can_go_on = |from: Option<usize>| from.is_some_and(|from| memory.is_copyable(from + 1));
        let (from, log_prob) =
            best(&|from| word * (step.generate + if can_go_on(from) { 0.0 } else { step.go_on }));
        after.push(Way { position: None, log_prob, from });
        ways.push(after);
    }
    let last = ways.last().expect("starts with one").iter().enumerate();
    let mut at = last.max_by(|a, b| a.1.log_prob.total_cmp(&b.1.log_prob)).map_or(0, |(at, _)| at);
    let mut path = Vec::with_capacity(tokens.len());
    for ways in ways[1..].iter().rev() {
        path.push(ways[at].position);
        at = ways[at].from;
    }
    path.reverse();
    path
}
