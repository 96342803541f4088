// SPDX-License-Identifier: AGPL-3.0-only
//! Starts the mail server that the crate `stalwart-lite` provides as a library: load the
//! configuration, migrate, start the queue and the listeners, stop on SIGTERM.
//!
//! Exit codes follow upstream, since tailwart's entrypoint has to cope with them: 1 when the
//! data store cannot be reached while starting (upstream's own), 0 after a failed migration.

use std::{io, time::Duration};

use stalwart_lib::{
    Collector,
    common::{config::server::ServerProtocol, core::BuildServer, manager::boot::BootManager},
    http::HttpSessionManager,
    imap::core::ImapSessionManager,
    migration,
    services::{StartServices, broadcast::subscriber::spawn_broadcast_subscriber},
    smtp::{StartQueueManager, core::SmtpSessionManager},
    utils::wait_for_shutdown,
};

#[global_allocator]
static ALLOCATOR: jemallocator::Jemalloc = jemallocator::Jemalloc;

/// How long tasks may take to finish after the listeners have been told to stop.
const DRAIN: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut boot = Box::pin(BootManager::init()).await;

    if let Err(cause) = migration::try_migrate(&boot.inner.build_server()).await {
        eprintln!("stalwart: the data store could not be migrated: {cause}");
        return Ok(());
    }

    boot.start_services().await;
    boot.start_queue_manager();
    boot.config.log_errors();
    boot.config.log_warnings();

    let inner = boot.inner.clone();
    let (stop, stopped) = boot.servers.spawn(|listener, acceptor, stopped| {
        let core = inner.clone();
        match listener.protocol {
            ServerProtocol::Smtp | ServerProtocol::Lmtp => {
                listener.spawn(SmtpSessionManager::new(core.clone()), core, acceptor, stopped)
            }
            ServerProtocol::Imap => {
                listener.spawn(ImapSessionManager::new(core.clone()), core, acceptor, stopped)
            }
            ServerProtocol::Http => {
                listener.spawn(HttpSessionManager::new(core.clone()), core, acceptor, stopped)
            }
            other => eprintln!(
                "stalwart: this build has no {other:?} listener; \"{}\" is left out",
                listener.id
            ),
        }
    });
    spawn_broadcast_subscriber(boot.inner, stopped);

    wait_for_shutdown().await;
    Collector::shutdown();
    let _ = stop.send(true);
    tokio::time::sleep(DRAIN).await;
    Ok(())
}
