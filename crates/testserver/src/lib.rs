//! An S3-compatible server on this machine, with a layer before it that fails as it is told.
//!
//! The server is s3s with s3s-fs: real HTTP, signatures, checksums, multipart uploads and conditional puts, in this
//! process, so that a test can say at which request what happens. Its bucket is a folder in which each key is a file:
//! what has arrived can be opened as a store. Garage or radosgw would be processes of
//! their own. In two things the layer mends s3s-fs: conditional puts wait for each other, since s3s-fs looks first and
//! writes then; and a body whose hash is not the signed one is answered as AWS answers it, not with 500.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    header::{IF_MATCH, IF_NONE_MATCH},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use object_store::{
    BackoffConfig, ClientConfigKey, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
};
use remote::{Absent, Bucket};
use rustix::process::{Pid, Signal, kill_process};
use s3s::{
    Body,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use store::Store;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

/// The server's bucket.
pub const BUCKET: &str = "group";
/// Where the store lies in the bucket.
pub const PREFIX: &str = "sga/chest";

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The line breaks when half of the request has been sent.
    CutWhileSent,
    /// The request is carried out, and the line breaks before the answer.
    CutBeforeAnswer,
    /// The line breaks in the middle of the answer.
    CutWhileAnswered,
    /// 503, try later.
    Busy,
    /// The answer comes in many small pieces.
    Trickle,
    /// A bit of the content of an object flips on the way to the server.
    FlippedThere,
    /// A bit of the content of an object flips on the way back.
    FlippedBack,
    /// No answer comes, and the line stays open.
    Silent,
    /// The client's process is killed before the request is carried out.
    KilledBefore(u32),
    /// The client's process is killed after the request has been carried out.
    KilledAfter(u32),
}

type Plan = Box<dyn FnMut(&str) -> Option<Fault> + Send>;

/// The server; it ends when it is dropped.
pub struct Server {
    root: TempDir,
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    _runtime: Runtime,
}

/// What came and what is to happen.
struct Desk {
    asked: Vec<String>,
    plan: Plan,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// A server with an empty bucket, on a free port.
    pub fn new() -> Self {
        let root = scratch();
        fs_err::create_dir(root.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single("key", "secret"));
        let service = builder.build();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Mutex::new(Desk { asked: Vec::new(), plan: Box::new(|_| None) }));
        runtime.spawn(serve(listener, service, desk.clone()));
        Self { root, address, desk, _runtime: runtime }
    }

    /// From now on, `plan` is asked about each request, a line like `PUT /group/sga/chest/format`.
    pub fn plan(&self, plan: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.desk.lock().unwrap().plan = Box::new(plan);
    }

    /// The requests since this was last asked.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.desk.lock().unwrap().asked)
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the environment of a program must hold that uses the server.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ]
    }

    /// The address of the bucket's store.
    pub fn address(&self) -> String {
        format!("s3://{BUCKET}/{PREFIX}")
    }

    /// How to reach the server: as users do, but less patiently.
    pub fn client(&self) -> AmazonS3Builder {
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(1),
            max_backoff: Duration::from_millis(4),
            base: 2.0,
        };
        AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_allow_http(true)
            .with_access_key_id("key")
            .with_secret_access_key("secret")
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "2 seconds")
            .with_retry(RetryConfig { backoff, max_retries: 10, retry_timeout: Duration::from_mins(1) })
    }

    /// The store in the server's bucket; made where there is none.
    pub fn bucket(&self) -> Bucket {
        Bucket::open(self.client(), BUCKET, PREFIX, Absent::Make).unwrap()
    }

    /// The folder that the bucket's store lies in.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join(BUCKET).join(PREFIX)
    }

    /// The bucket's store, opened as a folder.
    pub fn store(&self) -> Store {
        Store::open(self.folder()).unwrap()
    }
}

async fn serve(listener: TcpListener, service: S3Service, desk: Arc<Mutex<Desk>>) {
    let turn = Arc::new(tokio::sync::Mutex::new(()));
    loop {
        let (line, _) = listener.accept().await.unwrap();
        let (service, desk, turn) = (service.clone(), desk.clone(), Arc::clone(&turn));
        tokio::spawn(async move {
            let answer =
                service_fn(move |request| answer(service.clone(), desk.clone(), turn.clone(), request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(line), answer).await; // lines are cut
        });
    }
}

/// Answers as the server does or as the plan says; an error cuts the line.
async fn answer(
    service: S3Service,
    desk: Arc<Mutex<Desk>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let line = format!("{} {}", request.method(), request.uri());
    let fault = {
        let mut desk = desk.lock().unwrap();
        desk.asked.push(line.clone());
        (desk.plan)(&line)
    };
    let object = line.contains("/objects/");
    let (head, mut body) = request.into_parts();
    let announced = hyper::body::Body::size_hint(&body).lower() as usize;
    let enough = if fault == Some(Fault::CutWhileSent) { announced / 2 } else { usize::MAX };
    let mut sent = Vec::new();
    while sent.len() < enough {
        let Some(frame) = body.frame().await else { break };
        sent.extend(frame.map_err(io::Error::other)?.into_data().unwrap_or_default());
    }
    match fault {
        Some(Fault::Busy) => {
            let busy = Response::builder().status(503).header("Retry-After", "1");
            return Ok(busy.body(Body::empty()).unwrap());
        }
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::KilledBefore(process)) => return Err(kill(process)),
        Some(Fault::FlippedThere) if object => flip(&mut sent),
        Some(Fault::CutWhileSent) => {
            sent.truncate(announced / 2);
            let half = Body::http_body_unsync(StreamBody::new(pieces(&sent, 1, true)));
            let _ = service.call(Request::from_parts(head, half)).await;
            return Err(cut());
        }
        _ => {}
    }
    let conditional = head.headers.contains_key(IF_MATCH) || head.headers.contains_key(IF_NONE_MATCH);
    // s3s-fs looks at a file's content and at its ETag one after the other, in reads as in conditional writes.
    let _turn = if conditional || line.contains("/refs/") { Some(turn.lock().await) } else { None };
    let response =
        service.call(Request::from_parts(head, Body::from(sent))).await.map_err(io::Error::other)?;
    let (head, body) = response.into_parts();
    if fault == Some(Fault::FlippedThere) && head.status.is_server_error() {
        let refused = "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>";
        return Ok(Response::builder().status(400).body(Body::from(refused.to_owned())).unwrap());
    }
    let mut content = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
    let body = match fault {
        Some(Fault::CutBeforeAnswer) => return Err(cut()),
        Some(Fault::KilledAfter(process)) => return Err(kill(process)),
        Some(Fault::CutWhileAnswered) if content.is_empty() => return Err(cut()),
        Some(Fault::CutWhileAnswered) => {
            content.truncate(content.len() / 2);
            Body::http_body_unsync(StreamBody::new(pieces(&content, 1, true)))
        }
        Some(Fault::Trickle) => Body::http_body_unsync(StreamBody::new(pieces(&content, 50, false))),
        Some(Fault::FlippedBack) if object && head.status.is_success() => {
            flip(&mut content);
            Body::from(content)
        }
        _ => Body::from(content),
    };
    Ok(Response::from_parts(head, body))
}

/// The content in so many pieces, then perhaps a cut.
fn pieces(
    content: &[u8],
    count: usize,
    cut_after: bool,
) -> impl futures_util::Stream<Item = io::Result<Frame<Bytes>>> + Send + use<> {
    let length = content.len().div_ceil(count).max(1);
    let whole: Vec<_> =
        content.chunks(length).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    stream::iter(whole.into_iter().chain(cut_after.then(|| Err(cut()))))
}

fn flip(content: &mut [u8]) {
    let middle = content.len() / 2;
    if let Some(byte) = content.get_mut(middle) {
        *byte ^= 1;
    }
}

fn cut() -> io::Error {
    io::Error::other("cut on purpose")
}

fn kill(process: u32) -> io::Error {
    let process = Pid::from_raw(process as i32).unwrap();
    let _ = kill_process(process, Signal::KILL); // it may be gone: threads ask side by side
    cut()
}

/// A folder in memory where there is one, so that syncing costs nothing.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}
