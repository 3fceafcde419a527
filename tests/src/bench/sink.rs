//! The bare side of ingest: an axum server that hashes what comes, writes it, and syncs as staging does, every 4 MiB
//! and once at the end. It checks nothing, keeps no mark, moves nothing, logs nothing.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path as UrlPath, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, patch, post},
};
use http_body_util::BodyExt as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use shared::id::Blob;

use crate::world::Sure;

/// As `sync-server` does.
const SYNC_BYTES: u64 = 4 << 20;

/// Serves on a free port of this machine until it is ended; prints `http://…` first.
pub fn serve(folder: &Path) -> Sure<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route("/v1/batches", post(announced))
            .route("/v1/batches/{id}/payload", patch(take))
            .route("/v1/batches/{id}/receipt", get(async || "received\n"))
            .with_state(Arc::new(folder.to_owned()));
        Ok(axum::serve(listener, router).await?)
    })
}

/// As the centre answers: a unit takes nothing else for an answer.
async fn announced(manifest: Bytes) -> impl IntoResponse {
    (StatusCode::CREATED, Json(json!({ "batch": Blob::of(&manifest) })))
}

async fn take(State(folder): State<Arc<PathBuf>>, UrlPath(id): UrlPath<String>, _: HeaderMap, body: Body) -> impl IntoResponse {
    match keep(&folder.join(id.replace(':', "-")), body).await {
        Ok(size) => (StatusCode::NO_CONTENT, [("upload-offset", size.to_string())]).into_response(),
        Err(broken) => (StatusCode::INTERNAL_SERVER_ERROR, broken.to_string()).into_response(),
    }
}

async fn keep(path: &Path, mut body: Body) -> Sure<u64> {
    let (mut file, mut hash) = (File::create(path)?, Sha256::new());
    let (mut written, mut durable) = (0, 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        hash.update(&data);
        file.write_all(&data)?;
        written += data.len() as u64;
        if written - durable >= SYNC_BYTES {
            file.sync_data()?;
            durable = written;
        }
    }
    file.sync_data()?;
    // what was hashed is used, so that no compiler leaves it out
    std::hint::black_box(hash.finalize());
    Ok(written)
}
