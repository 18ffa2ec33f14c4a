//! One command, one file: its arguments, and `run`. This file is their registry.

pub(crate) mod adapt;
pub(crate) mod ask;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod ingest;
pub(crate) mod mcp;
pub(crate) mod model;
pub(crate) mod publish;
pub(crate) mod rebuild;
pub(crate) mod restore;
pub(crate) mod rm;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod stat;
pub(crate) mod terms;
pub(crate) mod warm;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

/// Makes the enum of the commands, in the order of the help, from the type of each one's arguments.
macro_rules! registry {
    ($($room:ident::$Args:ident,)*) => {
        #[derive(Subcommand)]
        pub(crate) enum Command {
            $($Args($room::$Args),)*
        }

        impl Command {
            pub(crate) fn run(&self) -> Result<ExitCode> {
                match self {
                    $(Self::$Args(args) => $room::run(args),)*
                }
            }
        }
    };
}

registry! {
    ingest::Ingest,
    search::Search,
    ask::Ask,
    warm::Warm,
    get::Get,
    rm::Rm,
    stat::Stat,
    check::Check,
    compact::Compact,
    publish::Publish,
    backup::Backup,
    restore::Restore,
    rebuild::Rebuild,
    export::Export,
    import::Import,
    eval::Eval,
    adapt::Adapt,
    serve::Serve,
    mcp::Mcp,
    model::Model,
    demo::Demo,
    terms::Terms,
}
