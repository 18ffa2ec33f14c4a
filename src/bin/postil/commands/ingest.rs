use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use postil::chunk::ChunkOptions;
use postil::extract::{FileKind, Kind};
use postil::ingest::{IngestOptions, Ingested, Input, Merged, Unread};
use postil::{Database, Options, Progress, Watch, with_causes};

use crate::flags::Output;
use crate::meter::Meter;
use crate::{exit, interrupt, render};

/// Most unread parts of a document that are listed.
const UNREAD_TOLD: usize = 5;
/// Longest line of the help.
const HELP_COLUMNS: usize = 98;

/// Help below the options of `ingest`, after the files that are taken: the rest, and exit statuses.
const INGEST_HELP: &str = "\
Left out are hidden files and folders (their names begin with a dot), what .gitignore, .ignore and
git's own rules exclude, and links. A file that is named itself is always taken, as plain text if
neither its content nor its ending says more. What was left out or could not be read is named, and
counted by its reason.

A file is one document under every spelling of its path; its key is the path it was first ingested
by. What is unchanged is skipped, what has changed replaced; a file that has no text any more has
its document removed, and so has a record that is no longer in its .jsonl file. A file that cannot
be read keeps its earlier version.

Exit status: 0 all that was found is in the database; 1 nothing was done, or the rest of it was not;
2 wrong arguments; 3 some files or documents were skipped, or there was nothing to take; 130
interrupted by Ctrl-C.";

/// The help with the endings of the files that this build reads.
fn help() -> String {
    let mut endings: Vec<&str> = Kind::endings().chain(["jsonl"]).collect();
    endings.sort_unstable();
    let mut help = "Of a folder, files are taken whose names end in".to_owned();
    let mut width = help.len();
    for (at, ending) in endings.iter().enumerate() {
        let word = match at + 1 == endings.len() {
            true => format!("or .{ending}."),
            false => format!(".{ending},"),
        };
        width += 1 + word.len();
        help.push(if width > HELP_COLUMNS { '\n' } else { ' ' });
        width = if width > HELP_COLUMNS { word.len() } else { width };
        help += &word;
    }
    format!("{help}\n{INGEST_HELP}")
}

/// Add or update documents; what is there unchanged is skipped
#[derive(Args)]
#[command(after_help = help())]
pub(crate) struct Ingest {
    /// The database, a folder; created if absent
    database: PathBuf,
    /// Files and folders; `-` is standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Remove documents whose file is no longer there, or is left out now
    #[arg(long)]
    prune: bool,
    /// Password of encrypted PDFs
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Model of a new database, by name or folder; QUESTIONS+PASSAGES for two, as for DPR
    /// [default: all-MiniLM-L6-v2]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Tokens in a passage at most, of a new database [default: 200]
    #[arg(long, value_name = "TOKENS")]
    chunk_tokens: Option<usize>,
    /// Precision in which a new database keeps vectors: `full`, 32 bits a component, or `half`, 16
    /// [default: full]
    #[arg(long)]
    precision: Option<postil::Precision>,
    /// Key of the document on standard input
    #[arg(long, default_value = "stdin")]
    key: String,
    /// Format of standard input
    #[arg(long, value_enum, default_value_t = StdinFormat::Txt)]
    format: StdinFormat,
    #[command(flatten)]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum StdinFormat {
    Txt,
    Md,
    Html,
    Jsonl,
}

pub(crate) fn run(args: &Ingest) -> Result<ExitCode> {
    let input = input(args)?;
    let is_new = !args.database.try_exists().unwrap_or(true);
    if is_new {
        refuse_mistyped(&input)?;
    }
    let db = options(args).open(&args.database)?;
    let report = ingest(&db, &input, &ingest_options(args))?;
    warn_of_growth(&db)?;
    let holds_nothing = db.stat()?.documents == 0;
    db.close()?;
    let told = tell(&report, args.output)?;
    let told = tell_nothing(&report).unwrap_or(told);
    if is_new && holds_nothing && !report.interrupted {
        // Made a moment ago, by this command, and nothing came into it.
        std::fs::remove_dir_all(&args.database)?;
        eprintln!("nothing could be read; no database was made");
    }
    Ok(told)
}

/// Refuses to make a database when none of the paths is there: most likely they were mistyped.
fn refuse_mistyped(input: &Input) -> Result<()> {
    let Input::Paths(paths) = input else { return Ok(()) };
    if paths.iter().all(|path| matches!(path.try_exists(), Ok(false))) {
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        bail!("there is no {}; no database was made", names.join(", no "));
    }
    Ok(())
}

/// Prints why the database's files could not be kept small, if so: nothing is lost, but nothing
/// else would report it.
pub(crate) fn warn_of_growth(db: &Database) -> Result<()> {
    if let Some(failure) = db.stat()?.rewrite_failure {
        eprintln!(
            "the files of the database are larger than they need be: {}; `postil compact` tries again",
            render::on_one_line(&failure)
        );
    }
    Ok(())
}

/// Prints the report of an ingest, and chooses the exit status.
pub(crate) fn tell(report: &Ingested, output: Output) -> Result<ExitCode> {
    print(report, output)?;
    Ok(match () {
        () if report.interrupted => ExitCode::from(exit::INTERRUPTED),
        () if !report.skipped.is_empty() => ExitCode::from(exit::SKIPPED),
        () => ExitCode::SUCCESS,
    })
}

/// Warns when an ingest found nothing, which is hardly intended.
fn tell_nothing(report: &Ingested) -> Option<ExitCode> {
    if !report.found_nothing() {
        return None;
    }
    let why = match report.left_out.count() {
        0 => "no file is there".to_owned(),
        _ => render::on_one_line(&report.left_out.to_string()),
    };
    let hint = match report.left_out.unknown.is_empty() {
        true => "",
        false => "; `postil ingest --help` lists the kinds that are; any file that is named itself is read",
    };
    eprintln!("no file was taken: {why}{hint}");
    Some(ExitCode::from(exit::SKIPPED))
}

/// Ingests with a meter; Ctrl-C ends it after the batch at hand, a second one at once.
pub(crate) fn ingest(db: &Database, input: &Input, options: &IngestOptions) -> Result<Ingested> {
    let cancel = interrupt::listen("finishing the batch; Ctrl-C again to stop at once")?;
    let meter = Meter::new();
    let show = |progress: &Progress| meter.show(progress);
    let watch = Watch::new().progress(&show).cancel(&cancel);
    let report = db.ingest_from(input, options, &watch);
    meter.finish();
    Ok(report?)
}

fn input(args: &Ingest) -> Result<Input> {
    if !args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Ok(Input::Paths(args.paths.clone()));
    }
    if args.paths.len() > 1 {
        bail!("standard input (-) is ingested alone, not together with files");
    }
    if args.prune {
        bail!("--prune compares with files; standard input has none");
    }
    let kind = match args.format {
        StdinFormat::Txt => FileKind::Document(Kind::Plain),
        StdinFormat::Md => FileKind::Document(Kind::Markdown),
        StdinFormat::Html => FileKind::Document(Kind::Html),
        StdinFormat::Jsonl => FileKind::Records,
    };
    Ok(Input::Stdin { key: args.key.clone(), kind })
}

fn ingest_options(args: &Ingest) -> IngestOptions {
    let options = IngestOptions::new().prune(args.prune);
    match &args.password {
        Some(password) => options.password(password),
        None => options,
    }
}

fn options(args: &Ingest) -> Options {
    let mut options = Database::options();
    if let Some(model) = &args.model {
        options = options.model(model);
    }
    if let Some(max_tokens) = args.chunk_tokens {
        options = options.chunking(ChunkOptions { max_tokens, ..ChunkOptions::default() });
    }
    if let Some(precision) = args.precision {
        options = options.precision(precision);
    }
    options
}

fn print(report: &Ingested, output: Output) -> Result<()> {
    if output.json {
        return render::json(report);
    }
    let Ingested { added, replaced, unchanged, removed, merged, stale, passages, skipped, left_out, .. } =
        report;
    render::text(&format!(
        "{added} added, {replaced} replaced, {unchanged} unchanged, {removed} removed; \
         {passages} passages embedded"
    ))?;
    for (field, records) in &report.fields_left_out {
        eprintln!(
            "left out: field {} of {records} records; the name is Postil's",
            render::on_one_line(field)
        );
    }
    for Merged { kept, removed, .. } in merged {
        eprintln!(
            "one file under two names: kept {}, removed {}",
            render::on_one_line(kept),
            render::on_one_line(removed)
        );
    }
    for Unread { source, parts, .. } in &report.unread {
        let rest = parts.len().saturating_sub(UNREAD_TOLD);
        let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
        let told = parts[..parts.len() - rest].join("; ");
        eprintln!("not read of {}: {}{more}", render::on_one_line(source), render::on_one_line(&told));
    }
    for skip in skipped {
        let kept = if skip.kept { "; its earlier version is kept" } else { "" };
        eprintln!("skipped: {}{kept}", render::on_one_line(&with_causes(&skip.error)));
    }
    if !skipped.is_empty() {
        eprintln!("{} skipped: {}", skipped.len(), report.skipped_by_reason());
    }
    if left_out.count() > 0 && !report.found_nothing() {
        let (count, noun) = (left_out.count(), left_out.noun());
        eprintln!("{count} {noun} left out: {}", render::on_one_line(&left_out.to_string()));
    }
    if *stale > 0 {
        eprintln!(
            "{stale} {}; --prune removes {}",
            if *stale == 1 {
                "document has no file any more, or one left out now"
            } else {
                "documents have no file any more, or one left out now"
            },
            if *stale == 1 { "it" } else { "them" },
        );
    }
    if report.interrupted {
        eprintln!("interrupted; run the same command again to go on");
    }
    Ok(())
}
