//! The command line.

mod asking;
mod flags;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use asking::{Ask, Eval, Search, Warm};
pub(crate) use flags::{Filter, Output, Reading};

/// Ask questions of your own documents, on your own machine, and see which passage each answer came
/// from.
#[derive(Parser)]
#[command(name = "postil", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add or update documents; what is there unchanged is skipped
    Ingest(Ingest),
    /// Find the passages nearest to a text, in meaning and in words
    Search(Search),
    /// Answer a question from the documents, with citations
    Ask(Ask),
    /// Let a language model read all passages now, and keep what it computed for later questions
    Warm(Warm),
    /// Print a document, or its passages
    Get(Get),
    /// Remove documents
    Rm(Rm),
    /// Show counts, sizes and what the database was made with
    Stat(Stat),
    /// Verify every checksum and reference
    Check(Check),
    /// Write everything anew without what was removed: smallest files, fastest searches
    Compact(Compact),
    /// Show what is there now to readers with --published
    Publish(Publish),
    /// Copy a database; the copy is a database like any other
    Backup(Backup),
    /// Copy a backup to where a database is to be, and check the copy
    Restore(Restore),
    /// Make a fresh database of what can be read of a damaged one, and list what could not
    Rebuild(Rebuild),
    /// Write all documents, passages and vectors: as JSON lines, or to files that can be imported
    Export(Export),
    /// Add the documents of an export, with their vectors where the encoder is the same
    Import(Import),
    /// Score the answers to questions with known answers
    Eval(Eval),
    /// List, add and check models
    #[command(subcommand)]
    Model(Model),
    /// Set up the default model, ingest the handbook of an invented firm and ask it four questions
    Demo(Demo),
}

/// Help below the options of `ingest`: the files taken, and exit statuses.
const INGEST_HELP: &str = "\
Of a folder, files are taken whose names end in .txt, .md, .markdown, .html, .htm or .jsonl. Left
out are hidden files and folders (their names begin with a dot), what .gitignore, .ignore and git's
own rules exclude, and links. A file that is named itself is always taken, as plain text if its
ending is unknown. What was left out is counted.

A file is one document under every spelling of its path; its key is the path it was first ingested
by. What is unchanged is skipped, what has changed replaced; a file that has no text any more has
its document removed, and so has a record that is no longer in its .jsonl file. A file that cannot
be read keeps its earlier version.

Exit status: 0 all that was found is in the database; 1 nothing was done, or the rest of it was not;
2 wrong arguments; 3 some files or documents were skipped, or there was nothing to take; 130
interrupted by Ctrl-C.";

#[derive(Args)]
#[command(after_help = INGEST_HELP)]
pub(crate) struct Ingest {
    /// The database, a folder; created if absent
    pub(crate) database: PathBuf,
    /// Files and folders; `-` is standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Remove documents whose file is no longer there, or is left out now
    #[arg(long)]
    pub(crate) prune: bool,
    /// Model of a new database, by name or folder; QUESTIONS+PASSAGES for two, as for DPR
    /// [default: all-MiniLM-L6-v2]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Tokens in a passage at most, of a new database [default: 200]
    #[arg(long, value_name = "TOKENS")]
    pub(crate) chunk_tokens: Option<usize>,
    /// Precision in which a new database keeps vectors: `full`, 32 bits a component, or `half`, 16
    /// [default: full]
    #[arg(long)]
    pub(crate) precision: Option<postil::Precision>,
    /// Key of the document on standard input
    #[arg(long, default_value = "stdin")]
    pub(crate) key: String,
    /// Format of standard input
    #[arg(long, value_enum, default_value_t = StdinFormat::Txt)]
    pub(crate) format: StdinFormat,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StdinFormat {
    Txt,
    Md,
    Html,
    Jsonl,
}

#[derive(Args)]
pub(crate) struct Get {
    /// The database
    pub(crate) database: PathBuf,
    /// The document's key
    pub(crate) key: String,
    /// List its passages instead of its text
    #[arg(long)]
    pub(crate) passages: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Rm {
    /// The database
    pub(crate) database: PathBuf,
    /// Keys of the documents
    #[arg(required_unless_present = "filter")]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Stat {
    /// The database
    pub(crate) database: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The database
    pub(crate) database: PathBuf,
    /// Measure too how much searches find of what a look at every passage finds: takes a scan for
    /// each of up to 320 vectors
    #[arg(long)]
    pub(crate) recall: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Compact {
    /// The database
    pub(crate) database: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Publish {
    /// The database
    pub(crate) database: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Backup {
    /// The database
    pub(crate) database: PathBuf,
    /// The copy; nothing may be there yet
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// The backup, or any database that nobody has open; only read
    pub(crate) backup: PathBuf,
    /// The database to make; nothing may be there yet
    pub(crate) database: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Rebuild {
    /// The damaged database; only read
    pub(crate) database: PathBuf,
    /// The fresh one; nothing may be there yet
    pub(crate) new: PathBuf,
    /// Model the database was made with, should its manifest be lost
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Export {
    /// The database
    pub(crate) database: PathBuf,
    /// File to make, whose name ends in .parquet or .jsonl, or folder to make, with documents.jsonl,
    /// vectors.npy and database.json [default: JSON lines on standard output, which `import` reads]
    pub(crate) target: Option<PathBuf>,
    /// Format to make [default: by the target's name]
    #[arg(long, value_enum, requires = "target")]
    pub(crate) format: Option<ExportFormat>,
    /// Leave the vectors out
    #[arg(long)]
    pub(crate) no_vectors: bool,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A folder of JSON lines and an array
    Folder,
    /// One file of JSON lines
    Jsonl,
    /// One Parquet file
    Parquet,
}

impl From<ExportFormat> for postil::exchange::Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Folder => Self::Folder,
            ExportFormat::Jsonl => Self::Lines,
            ExportFormat::Parquet => Self::Parquet,
        }
    }
}

#[derive(Args)]
pub(crate) struct Import {
    /// The database; created as the exported one was if absent
    pub(crate) database: PathBuf,
    /// The exported folder or Parquet file, or a file with the JSON lines of an export; `-` is
    /// standard input
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Subcommand)]
pub(crate) enum Model {
    /// List the models that are installed and those that can be added, with kind, size and license
    List(Output),
    /// Fetch a model by name, or copy one from a folder or a GGUF file
    Add {
        /// A known name (all-MiniLM-L6-v2, smollm2-135m-instruct), a name on the hub (org/name or
        /// org/name:FILE.gguf), a folder or a GGUF file
        model: String,
        #[command(flatten)]
        output: Output,
    },
    /// Verify a model's files against their checksums: pinned, or recorded when it was added
    Check {
        /// Its name
        model: String,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Args)]
pub(crate) struct Demo {
    /// The demonstration database to make
    #[arg(default_value = "demo.postil")]
    pub(crate) database: PathBuf,
}
