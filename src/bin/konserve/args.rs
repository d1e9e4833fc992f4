//! What may stand on the command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Look into a konserve store and change it: a folder of values under keys.
#[derive(Debug, Parser)]
#[command(name = "konserve", version, after_long_help = HELP, after_help = "See konserve --help for keys, values and exit codes.")]
pub(crate) struct Arguments {
    /// Print JSON instead of EDN, lists as one JSON text per line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP: &str = r#"Keys and steps:
  A KEY is taken as text: konserve get FOLDER users
  Further words step into its value, as text into maps; into an array, digits
  are an index, from 0: konserve get FOLDER users 3 name
  With --edn, the key, the steps and the value are EDN instead, so that every
  key can be named: konserve get --edn FOLDER :users 3 '"name"'
  ls prints keys as EDN, so that they can be given back with --edn.

Values:
  put takes JSON, or EDN with --edn; "-" reads it from standard input.
  JSON is read exactly: integers are integers, beyond 64 bits bigints; numbers
  with a fraction or exponent are floats, but for whole ones within 2^53, which
  are integers, as JavaScript stores them.
  What is printed is EDN, which put --edn takes back without loss. With --json,
  what JSON lacks is an object of one entry: {"$date": "2024-02-29T12:00:00Z"},
  {"$bigint": "1"}, {"$bytes": "00ff"}, {"$undefined": true}, {"$float": "NaN"},
  {"$keyword": "a/b"}, {"$symbol": "a"}, {"$char": "a"}, {"$uuid": "..."},
  {"$ratio": "1/3"}, {"$decimal": "1.50"}, {"$set": [...]},
  {"$map": [[key, value], ...]}, {"$record": ["name", ...]}, {"$tag": [1, ...]}.
  put does not take these back: it stores them as the objects they are.

Access:
  put, rm, import and verify --repair take the store for themselves, and fail if
  another program has it open for writing; with --shared they work beside those
  that share it. The others only read: they take no lock, and change nothing.

Moving:
  konserve export FOLDER > FILE, then konserve import --create OTHER FILE. What
  is imported is checked entry by entry. If the file is damaged, or a key exists
  with another value, what came before stays imported; import again with a good
  file, or with --existing keep or replace: what is there already is passed over.

  konserve convert --layout konserve FROM TO makes a store that Clojure's
  konserve opens, and --layout sealed makes one of ours of one of its. Keys,
  values, metadata, binaries and logs go along. What cannot is told when the rest
  is done.

Encrypted stores:
  --key-file has the key, 32 bytes or 64 hexadecimal digits, --passphrase-file a
  passphrase. put --create and import --create make an encrypted store with one.
  A new key is in --to-key-file or --to-passphrase-file: for add-key, rekey and
  convert. head -c 32 /dev/urandom > FILE makes one.

Stores of Clojure's konserve:
  All commands take their folders too. What is encrypted needs --key-edn with the
  key as Clojure has it: konserve get FOLDER name --key-edn '"my secret"'

Exit codes:
  0  done
  1  the key or path is not there; verify found damage, repaired or not
  2  the command line is wrong, or the store refuses the key, path or value
  3  the store failed: not found, locked, damaged, no permission, disk full"#;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the keys, one per line, in no particular order
    Ls {
        #[command(flatten)]
        store: Folder,
        /// Type, size in bytes and time of the last write before each key, between tabs
        #[arg(short, long)]
        long: bool,
        /// Only text keys that begin so
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
    },
    /// Print a value, or the part of one that the steps lead to
    Get {
        #[command(flatten)]
        store: Folder,
        #[command(flatten)]
        path: Place,
    },
    /// Write a value under a key, or to where the steps lead; missing levels become maps
    #[command(override_usage = "konserve put [OPTIONS] <FOLDER> <KEY> [STEP]... <VALUE>")]
    Put {
        #[command(flatten)]
        store: Folder,
        #[command(flatten)]
        path: Place,
        /// The new value: JSON, or EDN with --edn; - reads it from standard input
        #[arg(allow_negative_numbers = true)]
        value: String,
        /// Make the store if there is none
        #[arg(long)]
        create: bool,
        /// Work beside other programs that have the store open with shared access
        #[arg(long)]
        shared: bool,
    },
    /// Remove a key, or what the steps lead to
    Rm {
        #[command(flatten)]
        store: Folder,
        #[command(flatten)]
        path: Place,
        /// Work beside other programs that have the store open with shared access
        #[arg(long)]
        shared: bool,
    },
    /// Describe the store, or one key of it
    Info {
        #[command(flatten)]
        store: Folder,
        /// The key to describe
        #[arg(allow_negative_numbers = true)]
        key: Option<String>,
        /// The key is EDN
        #[arg(long)]
        edn: bool,
    },
    /// Read everything and report what is damaged
    Verify {
        #[command(flatten)]
        store: Folder,
        /// Rename what is damaged to <uuid>.ksv.damaged.new, so that its key is free again
        #[arg(long)]
        repair: bool,
        /// With --repair, work beside other programs that have the store open with shared access
        #[arg(long, requires = "repair")]
        shared: bool,
    },
    /// Write all that the store holds into one file
    Export {
        #[command(flatten)]
        store: Folder,
        /// A file that does not exist yet; - writes to standard output
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Take in what was exported, of this store or another
    Import {
        #[command(flatten)]
        store: Folder,
        /// The exported file; - reads standard input
        #[arg(default_value = "-")]
        file: PathBuf,
        /// What becomes of keys that exist: the first is an error, they are kept, or they are replaced
        #[arg(long, value_enum, default_value_t)]
        existing: Existing,
        /// Make the store if there is none
        #[arg(long)]
        create: bool,
        /// The layout of a store that is made: that of the exported one
        #[arg(long, value_enum, default_value = "sealed", requires = "create")]
        layout: Layout,
        /// Work beside other programs that have the store open with shared access
        #[arg(long)]
        shared: bool,
    },
    /// Copy a store into a new folder, in the layout that is asked for
    #[command(override_usage = "konserve convert --layout <LAYOUT> [OPTIONS] <FROM> <TO>")]
    Convert {
        /// The folder of the store, which stays as it is
        from: PathBuf,
        #[command(flatten)]
        key: StoreKey,
        /// The folder of the new store, which does not exist yet
        to: PathBuf,
        #[command(flatten)]
        target: Target,
    },
    /// Let one more key or passphrase open an encrypted store
    AddKey {
        #[command(flatten)]
        store: Folder,
        #[command(flatten)]
        key: NewKey,
    },
    /// Let the key that is given open an encrypted store no more
    RemoveKey {
        #[command(flatten)]
        store: Folder,
    },
    /// Write every value anew under a new data key
    ///
    /// Only the new key opens the store then; without one, only the key that is given.
    Rekey {
        #[command(flatten)]
        store: Folder,
        #[command(flatten)]
        key: NewKey,
    },
    /// Print every blob in one line: file, kind, key, value and metadata, between tabs
    ///
    /// By file name. The kind is edn, binary, log-head or log-element. Blobs that cannot be read are told on stderr, each
    /// with its file and error code, and make the exit code 3.
    Dump {
        #[command(flatten)]
        store: Folder,
        /// As EDN, maps and sets sorted (this is what is done without --json too)
        #[arg(long, conflicts_with = "json")]
        edn: bool,
    },
}

/// What becomes of keys that exist. What is the very same is always passed over.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Existing {
    #[default]
    Error,
    Keep,
    Replace,
}

/// Which store.
#[derive(Args, Debug)]
pub(crate) struct Folder {
    /// The folder of the store
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) key: StoreKey,
}

/// What opens an encrypted store.
#[derive(Args, Debug)]
pub(crate) struct StoreKey {
    /// A file with the key of an encrypted store: 32 bytes, or 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A file whose first line is the passphrase of an encrypted store
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    passphrase_file: Option<PathBuf>,
    /// The key of an encrypted store of Clojure's, as EDN: '"text"', ':keyword', '#bytes "00ff"'
    #[arg(long, value_name = "EDN", allow_hyphen_values = true, conflicts_with_all = ["key_file", "passphrase_file"])]
    pub(crate) key_edn: Option<String>,
}

/// A new key of an encrypted store.
#[derive(Args, Debug)]
pub(crate) struct NewKey {
    /// A file with the new key: 32 bytes, or 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    to_key_file: Option<PathBuf>,
    /// A file whose first line is the new passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "to_key_file")]
    to_passphrase_file: Option<PathBuf>,
}

/// Where a key is.
#[derive(Clone, Copy)]
pub(crate) struct KeyFiles<'a> {
    pub(crate) key: Option<&'a Path>,
    pub(crate) passphrase: Option<&'a Path>,
}

impl StoreKey {
    pub(crate) fn files(&self) -> KeyFiles<'_> {
        KeyFiles { key: self.key_file.as_deref(), passphrase: self.passphrase_file.as_deref() }
    }
}

impl NewKey {
    pub(crate) fn files(&self) -> KeyFiles<'_> {
        KeyFiles { key: self.to_key_file.as_deref(), passphrase: self.to_passphrase_file.as_deref() }
    }
}

/// How blobs are framed and checked.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Layout {
    /// Every byte is checked
    Sealed,
    /// That of Clojure's konserve
    Konserve,
}

/// How values are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Serializer {
    Cbor,
    Fressian,
    Edn,
}

/// How values are made smaller.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Compressor {
    None,
    Lz4,
    Zstd,
}

/// How values are encrypted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Encryptor {
    Aes,
    AesGcm,
}

/// How a new store is written.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The layout of the new store
    #[arg(long, value_enum)]
    pub(crate) layout: Layout,
    /// What its values are written with
    #[arg(long, value_enum, default_value = "cbor")]
    pub(crate) serializer: Serializer,
    /// What its values are compressed with
    #[arg(long, value_enum, default_value = "none")]
    pub(crate) compressor: Compressor,
    /// In the sealed layout: encrypt it with aes-blake3
    #[command(flatten)]
    pub(crate) key: NewKey,
    /// Encrypt it with this key, as EDN; in konserve's layout only
    #[arg(long, value_name = "EDN", allow_hyphen_values = true, conflicts_with_all = ["to_key_file", "to_passphrase_file"])]
    pub(crate) to_key_edn: Option<String>,
    /// What it is encrypted with
    #[arg(long, value_enum, default_value = "aes", requires = "to_key_edn")]
    pub(crate) encryptor: Encryptor,
}

/// Which place in a store.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// A key, and the steps into its value
    #[arg(required = true, num_args = 1.., value_name = "KEY", allow_negative_numbers = true)]
    pub(crate) path: Vec<String>,
    /// Key, steps and value are EDN
    #[arg(long)]
    pub(crate) edn: bool,
}
