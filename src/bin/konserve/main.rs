//! `konserve`: looks into stores and changes them, from the command line.

mod args;
mod commands;
mod failure;
mod folder;
mod input;
mod moving;
mod output;
mod progress;
mod secret;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
