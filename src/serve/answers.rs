use std::ops::ControlFlow;

use postil_server::{Answered, Ask, Cited, Failure, Token, Watch};

use super::find::filter;
use super::form::{failed, json};
use crate::{Answer, AskOptions, Decode, ReadOnlyDatabase, questions_in};

pub(super) fn ask(db: &ReadOnlyDatabase, ask: &Ask, watch: &mut Watch<'_>) -> Result<Vec<Answered>, Failure> {
    let options = options(ask)?;
    if !ask.streams {
        let answers = db.ask_each(&ask.question, &options).map_err(failed)?;
        return answers.into_iter().map(|(question, answer)| answered(question, &answer)).collect();
    }
    let mut done = Vec::new();
    let mut is_ended = false;
    for (number, question) in questions_in(&ask.question).into_iter().enumerate() {
        if is_ended {
            break;
        }
        let answer = db
            .ask_streaming(&question, &options, &mut |token| {
                let told = watch(&Token {
                    question: number,
                    text: &token.text,
                    log_prob: token.log_prob,
                    posterior: &token.posterior,
                });
                is_ended |= told == ControlFlow::Break(());
                told
            })
            .map_err(failed)?;
        done.push(answered(question, &answer)?);
    }
    Ok(done)
}

fn options(ask: &Ask) -> Result<AskOptions, Failure> {
    let mut options = AskOptions::new();
    if let Some(k) = ask.k {
        options = options.k(k);
    }
    if let Some(mode) = &ask.mode {
        options.mode = mode.parse().map_err(|error| Failure::input(format!("mode: {error}")))?;
    }
    if let Some(max_tokens) = ask.max_tokens {
        options = options.max_tokens(max_tokens);
    }
    if let Some(min_evidence) = ask.min_evidence {
        options = options.min_evidence(min_evidence);
    }
    let decode: Option<Decode> = ask
        .decode
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error| Failure::input(format!("decode: {error}")))?;
    options.decode = decode.or(ask.streams.then_some(Decode::Greedy));
    options.no_answer_threshold = ask.no_answer_threshold;
    options.min_probability = ask.min_probability;
    options.filter = filter(ask.filter.as_deref())?;
    options.check().map_err(failed)?;
    Ok(options)
}

fn answered(question: String, answer: &Answer) -> Result<Answered, Failure> {
    let credited = |passage: usize| {
        let spans = answer.spans.iter().filter(move |span| span.sources.contains(&passage));
        spans.map(|span| span.range.clone()).collect()
    };
    let citations = answer.citations.iter().map(|citation| Cited {
        document: citation.document.clone(),
        title: citation.title.clone(),
        quote: citation.quote.clone(),
        range: citation.range.clone(),
        posterior: citation.posterior,
        words: credited(citation.passage),
    });
    let why =
        || answer.withheld.map_or_else(|| "no answer was found".to_owned(), |withheld| withheld.to_string());
    Ok(Answered {
        question,
        text: answer.text.clone(),
        withheld: answer.no_answer.then(why),
        tokens: answer.tokens.len(),
        citations: citations.collect(),
        json: json(answer)?,
    })
}
