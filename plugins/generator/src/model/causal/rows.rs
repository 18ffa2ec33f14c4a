use std::sync::Arc;

use candle_core::Result;
use postil_contract::TokenId;

use super::super::backbone::{Rows, Told};
use super::super::prompt::Prompt;
use super::super::tree::Tree;
use super::Causal;
use super::keys::Keys;
use super::pass::Sequence;

/// Number of tokens after which no further prompt is read in the same pass: enough for products at
/// full speed, few enough to stop soon.
const PASS_TOKENS: usize = 512;

/// Prompts that were read, up to the last token of each.
struct Read {
    /// Parts of each prompt, `[passages]`.
    parts: Vec<Vec<Arc<Keys>>>,
    start: Vec<TokenId>,
    positions: Vec<usize>,
}

/// Hypotheses under each prompt.
pub(super) struct CausalRows<'a> {
    model: &'a Causal,
    read: Arc<Read>,
    own: Vec<Keys>,
    length: usize,
    /// True for each passage whose rows are computed.
    is_wanted: Vec<bool>,
}

impl Causal {
    /// Reads prompts in one pass, without what is remembered of their beginnings, and remembers
    /// those.
    pub(super) fn prompts(&self, prompts: &[Prompt], told: Told<'_>) -> Result<CausalRows<'_>> {
        let prefix = self.prefix(prompts)?;
        let from = prefix.as_ref().map_or(0, |prefix| prefix.len());
        let end = |prompt: &Prompt| prompt.tokens.len() - 1;
        let beginning = |prompt: &Prompt| prompt.beginning().len();
        let known = |prompt: &Prompt| match beginning(prompt) {
            to if to > from => self.known(&prompt.tokens[..to], to - from),
            _ => Ok(None),
        };
        let known: Vec<Option<Arc<Keys>>> = prompts.iter().map(known).collect::<Result<_>>()?;
        let mut parts: Vec<Vec<Arc<Keys>>> =
            known.iter().map(|known| prefix.iter().chain(known).cloned().collect()).collect();
        let mut owns = vec![Keys::none(self.layers.len() * self.groups); prompts.len()];
        let mut sequences: Vec<Sequence<'_>> = prompts
            .iter()
            .zip(&known)
            .zip(parts.iter().zip(&mut owns))
            .map(|((prompt, known), (shared, own))| {
                let from = if known.is_some() { beginning(prompt) } else { from };
                Sequence { shared, own, tokens: &prompt.tokens[from..end(prompt)] }
            })
            .collect();
        self.read_all(&mut sequences, told)?;
        for (((prompt, known), parts), mut own) in prompts.iter().zip(&known).zip(&mut parts).zip(owns) {
            let to = beginning(prompt);
            if known.is_none() && to > from {
                let question = own.split_off(to - from, self.head);
                let passage = Arc::new(own);
                self.memory.put(&prompt.tokens[..to], Arc::clone(&passage));
                parts.push(passage);
                own = question;
            }
            parts.push(Arc::new(own));
        }
        let start = prompts.iter().map(|prompt| prompt.tokens[end(prompt)]).collect();
        let positions = prompts.iter().map(end).collect();
        Ok(CausalRows::new(self, Arc::new(Read { parts, start, positions })))
    }

    /// Reads sequences, a few at a time.
    fn read_all(&self, sequences: &mut [Sequence<'_>], told: Told<'_>) -> Result<()> {
        let total = sequences.iter().map(|sequence| sequence.tokens.len()).sum();
        let (mut done, mut rest) = (0, sequences);
        while !rest.is_empty() {
            let mut tokens = 0;
            let is_more = |sequence: &&Sequence<'_>| {
                let is_more = tokens < PASS_TOKENS;
                tokens += if is_more { sequence.tokens.len() } else { 0 };
                is_more
            };
            let count = rest.iter().take_while(is_more).count();
            let (now, later) = rest.split_at_mut(count);
            self.pass(now, None, false, &|share| told(done + (share * tokens as f64) as usize, total))?;
            done += tokens;
            rest = later;
        }
        told(total, total)
    }

    /// The part that all prompts begin with, read once; `None` when there is none.
    pub(super) fn prefix(&self, prompts: &[Prompt]) -> Result<Option<Arc<Keys>>> {
        let Some(first) = prompts.first() else { return Ok(None) };
        let length = first.prefix.min(first.shared);
        let prefix = &first.tokens[..length];
        let is_common = |prompt: &Prompt| {
            prompt.tokens.len() > length && prompt.shared >= length && prompt.tokens.starts_with(prefix)
        };
        if length == 0 || !prompts.iter().all(is_common) {
            return Ok(None);
        }
        if let Some(known) = self.known(prefix, length)? {
            return Ok(Some(known));
        }
        let mut own = Keys::none(self.layers.len() * self.groups);
        self.pass(&mut [Sequence { shared: &[], own: &mut own, tokens: prefix }], None, false, &|_| Ok(()))?;
        let read = Arc::new(own);
        self.memory.put(prefix, Arc::clone(&read));
        Ok(Some(read))
    }
}

impl<'a> CausalRows<'a> {
    fn new(model: &'a Causal, read: Arc<Read>) -> Self {
        let own = vec![Keys::none(model.layers.len() * model.groups); read.parts.len()];
        let is_wanted = vec![true; read.parts.len()];
        Self { model, read, own, length: 0, is_wanted }
    }
}

impl<'a> Rows<'a> for CausalRows<'a> {
    fn start(&self) -> &[TokenId] {
        &self.read.start
    }

    fn positions(&self) -> &[usize] {
        &self.read.positions
    }

    fn len(&self) -> usize {
        self.length
    }

    fn fresh(&self) -> Box<dyn Rows<'a> + 'a> {
        Box::new(Self::new(self.model, Arc::clone(&self.read)))
    }

    fn reorder(&mut self, rows: &[usize]) -> Result<()> {
        if rows.len() != self.own.len() || rows.iter().enumerate().any(|(i, row)| i != *row) {
            self.own = rows.iter().map(|row| self.own[*row].clone()).collect();
        }
        Ok(())
    }

    fn restrict(&mut self, wanted: &[usize]) -> bool {
        self.is_wanted.iter_mut().enumerate().for_each(|(z, is_wanted)| *is_wanted = wanted.contains(&z));
        true
    }

    fn forward(&mut self, ids: &[TokenId], tree: &Tree) -> Result<Vec<f32>> {
        let passages = self.read.parts.len();
        let wanted = self.own.iter_mut().enumerate().filter(|(row, _)| self.is_wanted[row % passages]);
        let mut sequences: Vec<Sequence<'_>> = wanted
            .zip(ids.chunks_exact(tree.len()))
            .map(|((row, own), tokens)| Sequence { shared: &self.read.parts[row % passages], own, tokens })
            .collect();
        let states = self.model.pass(&mut sequences, Some(tree), true, &|_| Ok(()))?;
        self.length += tree.len();
        Ok(states)
    }
}
