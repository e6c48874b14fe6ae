//! Candidates for the shell's completion that only the daemon knows. Owns the short patience for them;
//! must never print or fail: no daemon means no candidates.

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::client::{Client, socket_path};

const PATIENCE: Duration = Duration::from_millis(300);

/// Containers, as remote/vmid with the name beside it.
#[must_use]
pub fn targets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(async |client| {
            let mut stream = client.list(&lxc_core::selector::Selection::default(), false).await.ok()?;
            let mut all = Vec::new();
            while let Ok(Some(chunk)) = stream.next().await {
                for container in chunk.items {
                    let name = container.name.clone().unwrap_or_default();
                    let about = format!("{name} {}", container.status);
                    if !name.is_empty() {
                        all.push(CompletionCandidate::new(name).help(Some(container.target.clone().into())));
                    }
                    all.push(CompletionCandidate::new(container.target).help(Some(about.into())));
                }
            }
            Some(all)
        })
    })
}

/// Names of remotes.
#[must_use]
pub fn remotes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(async |client| {
            let remotes = client.remotes("").await.ok()?;
            Some(remotes.into_iter().map(|remote| CompletionCandidate::new(remote.name)).collect())
        })
    })
}

/// Names of templates.
#[must_use]
pub fn templates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(async |client| {
            let (templates, _) = client.templates("", &[]).await.ok()?;
            let candidate = |template: crate::client::view::Template| {
                CompletionCandidate::new(template.name).help(template.description.map(Into::into))
            };
            Some(templates.into_iter().map(candidate).collect())
        })
    })
}

/// Names of buckets.
#[must_use]
pub fn buckets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ask(async |client| {
            let buckets = client.buckets("").await.ok()?;
            let candidate = |bucket: crate::client::view::Bucket| {
                CompletionCandidate::new(&bucket.name).help(Some(bucket.parts().into()))
            };
            Some(buckets.into_iter().map(candidate).collect())
        })
    })
}

fn ask(question: impl AsyncFnOnce(Client) -> Option<Vec<CompletionCandidate>>) -> Vec<CompletionCandidate> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let given = std::env::var_os("LXCCTL_SOCKET").map(std::path::PathBuf::from);
    let answer = async {
        let client = Client::connect(&socket_path(given.as_deref())).await.ok()?;
        question(client).await
    };
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, answer).await })
        .ok()
        .flatten()
        .unwrap_or_default()
}
