//! Finding MongoDB, and saying in a sentence what is wrong when it can't be used.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::{
    Client, Database,
    error::{Error, ErrorKind},
    options::{Acknowledgment, ClientOptions, ReadConcern, ServerAddress, WriteConcern},
};

use super::super::{Result, StoreError};

/// How long to look for a server that can be written to.
const SELECTION: Duration = Duration::from_secs(2);
/// How long to wait for a connection; also how long a heartbeat may be late.
const CONNECT: Duration = Duration::from_secs(2);
/// How often to ask the servers how they are. They also say when that changes.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long members of the set may take to confirm a write.
const CONFIRM: Duration = Duration::from_secs(8);
/// Connections to each server, unless the address says otherwise.
const CONNECTIONS: u32 = 64;
/// The database, when the address names none.
const DATABASE: &str = "hope";

/// What servers call us, unless the address says otherwise.
const APP: &str = "hope-exchange";

const REPLICA_SET: &str = "Start mongod with --replSet rs0 and run rs.initiate() in mongosh once, or use \
                           docker-compose.yml, which does both; then name the set in HOPE_STORE: \
                           mongodb://host/database?replicaSet=rs0.";

/// A database that can be used, and what its servers call the processes of this service.
pub(super) struct Found {
    pub database: Database,
    pub app_name: String,
}

/// Connects, and makes sure that there are transactions to be had.
pub(super) async fn connect(uri: &str) -> Result<Found> {
    let sentence = StoreError::Unavailable;
    let parsed = tokio::time::timeout(2 * CONNECT, ClientOptions::parse(uri)).await;
    let mut options = match parsed {
        Ok(Ok(options)) => options,
        Ok(Err(error)) => {
            return Err(sentence(unreadable(uri, &error)));
        }
        Err(_) => return Err(sentence("MongoDB's name can't be resolved".to_owned())),
    };
    harden(&mut options);
    let name = options.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
    let client = Client::with_options(options.clone()).map_err(|error| sentence(error.kind.to_string()))?;
    let said = match hello(&client).await {
        Ok(hello) => fit(&hello, &options),
        Err(error) => Some(trouble(&error, &options).await),
    };
    match said {
        None => {
            Ok(Found { database: client.database(&name), app_name: options.app_name.unwrap_or_default() })
        }
        Some(text) => Err(sentence(text)),
    }
}

/// What is wrong with an address. With a password in it, nothing of what the driver says is repeated:
/// what it could not read may well be the password.
fn unreadable(uri: &str, error: &Error) -> String {
    if uri.contains('@') {
        "HOPE_STORE is not an address that MongoDB takes. In the user name and the password, write \
         : / ? # [ ] @ % as %3A %2F %3F %23 %5B %5D %40 %25."
            .to_owned()
    } else {
        format!("HOPE_STORE is not an address that MongoDB takes: {}", error.kind)
    }
}

/// Settings that promises rest on, whatever the address says.
fn harden(options: &mut ClientOptions) {
    options.app_name.get_or_insert_with(|| APP.to_owned());
    options.connect_timeout = Some(CONNECT);
    options.server_selection_timeout = Some(SELECTION);
    options.heartbeat_freq = Some(HEARTBEAT);
    options.max_pool_size.get_or_insert(CONNECTIONS);
    options.retry_reads = Some(true);
    options.retry_writes = Some(true);
    options.selection_criteria = None;
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(durable());
}

/// On the disks of most of the set. `j` is not implied: a set can be configured to do without.
pub(super) fn durable() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(CONFIRM).build()
}

async fn hello(client: &Client) -> mongodb::error::Result<Document> {
    // The driver has no timeout of its own for an answer.
    let admin = client.database("admin");
    match tokio::time::timeout(SELECTION + CONNECT, admin.run_command(doc! { "hello": 1 })).await {
        Ok(answer) => answer,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

/// What is wrong with a server that answers, if anything is.
fn fit(hello: &Document, options: &ClientOptions) -> Option<String> {
    let hosts = hosts(options);
    if is_standalone(hello) {
        return Some(format!("{hosts} is a standalone MongoDB, which has no transactions. {REPLICA_SET}"));
    }
    let writable = hello.get_bool("isWritablePrimary").unwrap_or(false);
    (!writable).then(|| {
        format!(
            "{hosts} is not the primary of its replica set and can't be written to. Name all members in \
             HOPE_STORE, and replicaSet instead of directConnection."
        )
    })
}

/// A server that is neither of a replica set nor a router of a sharded cluster.
fn is_standalone(hello: &Document) -> bool {
    let router = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
    !router && !hello.contains_key("setName") && !hello.contains_key("isreplicaset")
}

/// Why there was no answer.
async fn trouble(error: &Error, options: &ClientOptions) -> String {
    let hosts = hosts(options);
    match &*error.kind {
        ErrorKind::Authentication { .. } => {
            format!("MongoDB at {hosts} does not accept the user name and password in HOPE_STORE.")
        }
        ErrorKind::Command(command) => format!("MongoDB at {hosts} refuses: {}", command.message),
        ErrorKind::InvalidTlsConfig { message, .. } => format!("TLS is not set up: {message}"),
        _ => {
            for address in &options.hosts {
                if let Some(sentence) = alone(address, options).await {
                    return sentence;
                }
            }
            format!("No MongoDB answers at {hosts}. Is mongod running, and is the address right?")
        }
    }
}

/// What one server says of itself, when asked for nothing else. The driver ignores servers that are
/// not of the set that it looks for, and does not say that they are there.
async fn alone(address: &ServerAddress, wanted: &ClientOptions) -> Option<String> {
    let mut options = wanted.clone();
    options.hosts = vec![address.clone()];
    options.repl_set_name = None;
    options.credential = None;
    options.direct_connection = Some(true);
    options.load_balanced = None;
    options.srv_max_hosts = None;
    let client = Client::with_options(options).ok()?;
    let hello = hello(&client).await.ok()?;
    client.shutdown().immediate(true).await;
    if is_standalone(&hello) {
        return Some(format!("{address} is a standalone MongoDB, which has no transactions. {REPLICA_SET}"));
    }
    let Ok(name) = hello.get_str("setName") else {
        return Some(format!(
            "MongoDB at {address} was started with --replSet, but the set was never initiated. Run \
             rs.initiate() in mongosh once."
        ));
    };
    match &wanted.repl_set_name {
        Some(expected) if expected != name => {
            Some(format!("The replica set at {address} is called {name}, not {expected}."))
        }
        _ => {
            let members: Vec<&str> = hello
                .get_array("hosts")
                .map(|hosts| hosts.iter().filter_map(bson::Bson::as_str).collect())
                .unwrap_or_default();
            Some(format!(
                "MongoDB answers at {address}, but no primary does among the members that its replica set \
                 {name} names: {}. They must be reachable from here under these names.",
                members.join(", ")
            ))
        }
    }
}

fn hosts(options: &ClientOptions) -> String {
    options.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_sentence_has_the_password() {
        for uri in [
            "mongodb://ann:sec%40ret@127.0.0.1:1/hope?replicaSet=rs0",
            "mongodb://ann:sec@ret@127.0.0.1:1/hope",
            "mongodb://ann:sec/ret@127.0.0.1:1/hope",
            "mongodb://ann:sec%ret@127.0.0.1:1/hope",
            "mongodb://ann:secret@127.0.0.1:1/hope?nonsense",
            "mongodb://ann:secret@127.0.0.1:99999/hope",
        ] {
            let error = connect(uri).await.map(|_| ()).unwrap_err().to_string();
            assert!(!error.contains("ret@") && !error.contains("sec"), "{uri}: {error}");
        }
    }
}
