//! What can be asked on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A self-hosted team wiki in which many people edit the same page at once.
#[derive(Debug, Parser)]
#[command(name = "watersmeet", version, about, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the wiki is")]
pub(crate) struct PlaceArgs {
    /// Configuration file [default: watersmeet.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Data directory [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<String>,

    /// Database: sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,

    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the wiki
    Serve(ServeArgs),
    /// Bring content from elsewhere
    #[command(subcommand)]
    Import(ImportCommand),
    /// Manage accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Manage personal access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage trust between the parts of the program
    #[command(subcommand)]
    Sync(SyncCommand),
    /// Work on documents without a wiki
    #[command(subcommand)]
    Document(DocumentCommand),
    /// Work on pages
    #[command(subcommand)]
    Page(PageCommand),
    /// Write everything into one file, while people edit
    Backup {
        /// The file to write; must not exist
        file: PathBuf,
    },
    /// Fill an empty data directory and database from a backup
    Restore {
        /// The file to read
        file: PathBuf,
    },
    /// Verify what is stored and say what is wrong
    Check,
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,

    /// The address that people type [default: http:// and where it listens]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Which part to run: all, wiki or sync [default: all]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,

    /// Port of the role sync [default: 8091]
    #[arg(long, value_name = "PORT")]
    pub(crate) sync_port: Option<String>,

    /// Address of this machine for the role sync [default: 127.0.0.1]
    #[arg(long, value_name = "ADDR")]
    pub(crate) sync_bind: Option<String>,

    /// The address of the sync engine that browsers use [default: the public address and /synchrony/v1]
    #[arg(long, value_name = "URL")]
    pub(crate) sync_service_url: Option<String>,

    /// The address of the role sync that the role wiki uses [default: http://127.0.0.1:8091/synchrony]
    #[arg(long, value_name = "URL")]
    pub(crate) sync_internal_url: Option<String>,

    /// Whether browsers may reach the sync engine through the wiki: auto, on or off [default: auto]
    #[arg(long, value_name = "WHEN")]
    pub(crate) sync_proxy: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Import an XML export of a Confluence space or site
    Confluence {
        /// The export: a zip file, or the directory it was unpacked to
        #[arg(value_name = "FILE.zip|DIR")]
        source: PathBuf,

        /// Import the space under another key
        #[arg(long = "as", value_name = "KEY")]
        key: Option<String>,

        /// Read and report, but change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add an account
    Add {
        /// The name to log in with
        name: String,

        /// Where to write to
        #[arg(long, value_name = "E")]
        email: Option<String>,

        /// The name to show
        #[arg(long, value_name = "N")]
        full_name: Option<String>,

        /// Make it an administrator of the site
        #[arg(long)]
        admin: bool,

        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the accounts
    List,
    /// Lock an account out: its sessions and tokens stop working
    Disable {
        /// The name to log in with
        name: String,
    },
    /// Set the password of an account
    Password {
        /// The name to log in with
        name: String,

        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a personal access token and print it, once
    Create {
        /// Whose token
        #[arg(long, value_name = "NAME")]
        user: String,

        /// What to call it
        #[arg(long, value_name = "LABEL")]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Make a token for editing together from another program, and print it
    Token {
        /// page-ID, NAMESPACE/NAME or NAMESPACE/*
        #[arg(long, value_name = "DOCUMENT")]
        document: String,

        /// What its bearer may do at most
        #[arg(long, value_enum)]
        rights: RightsForm,

        /// Whose token
        #[arg(long, value_name = "NAME")]
        user: String,

        /// For how long: a number with s, m or h, at most 24h
        #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
        valid: Duration,
    },
    /// Sign tokens with new keys from now on
    RotateKeys {
        /// Refuse the tokens of the old keys at once: for keys that became known to others
        #[arg(long)]
        at_once: bool,
    },
    /// Print how pages are edited, or change it while people edit: on, read-only, off (one at a time)
    Mode {
        /// on, read-only or off; none: print it
        mode: Option<String>,
    },
}

/// A number of seconds, minutes or hours.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "takes a number with s, m or h, such as `30m`".to_owned();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}

#[derive(Debug, Subcommand)]
pub(crate) enum DocumentCommand {
    /// Convert a document from one form to another; notes go to standard error
    Convert {
        /// The form of the input
        #[arg(long, value_enum)]
        from: SourceForm,

        /// The form of the output
        #[arg(long, value_enum)]
        to: TargetForm,

        /// The document [default: standard input]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PageCommand {
    /// Print the published body of a page
    Export {
        /// Content id of the page
        id: i64,

        /// The form to print
        #[arg(long, value_enum)]
        format: ExportForm,
    },
    /// Write the live document of a page afresh; drafts stay drafts
    Compact {
        /// Content id of the page
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print what is in force and where it comes from
    Show,
    /// Report all mistakes in the configuration
    Check,
}

/// What the bearer of a token may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RightsForm {
    Read,
    Write,
}

/// A form in which a document can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceForm {
    Storage,
    Markdown,
    Html,
}

/// A form in which a document can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetForm {
    Storage,
    Markdown,
    Html,
    Json,
    Text,
}

/// A form in which a page can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportForm {
    Storage,
    Html,
    Markdown,
    Text,
}

impl ExportForm {
    pub(crate) fn as_target(self) -> TargetForm {
        match self {
            ExportForm::Storage => TargetForm::Storage,
            ExportForm::Html => TargetForm::Html,
            ExportForm::Markdown => TargetForm::Markdown,
            ExportForm::Text => TargetForm::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_is_a_number_with_a_unit() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("30m"), Ok(Duration::from_secs(1_800)));
        assert_eq!(time("24h"), Ok(Duration::from_secs(86_400)));
        for wrong in ["", "h", "1", "-1h", "1d", "1 h", "1µ"] {
            assert!(time(wrong).unwrap_err().contains("30m"), "{wrong}");
        }
    }
}
