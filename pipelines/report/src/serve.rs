//! The page over HTTP, as the store is when it is asked for.

use std::net::IpAddr;

use stage::{Failure, Result};
use tiny_http::{Header, Method, Request, Response, Server};

/// A page that can be made, under the key of all that it depends on.
pub(crate) struct Live<M> {
    pub(crate) key: String,
    pub(crate) make: M,
}

/// Serves the page at `/` until the program is ended. It is made anew when its key changes, and kept until then.
pub(crate) fn serve<M: FnOnce() -> Result<String>>(
    address: &str,
    live: impl FnMut() -> Result<Live<M>>,
) -> Result<()> {
    let server = Server::http(address).map_err(|problem| {
        Failure::usage(format!("cannot listen at {address}: {problem}"))
            .remedy("`serve=127.0.0.1:0` takes a free port")
    })?;
    println!("report: http://{} (Ctrl-C ends it)", server.server_addr());
    answer_all(&server, live);
    Ok(())
}

fn answer_all<M: FnOnce() -> Result<String>>(server: &Server, mut live: impl FnMut() -> Result<Live<M>>) {
    let mut last: Option<(String, String)> = None;
    let to_this_machine = server.server_addr().to_ip().is_some_and(|address| address.ip().is_loopback());
    for request in server.incoming_requests() {
        let (status, kind, text) = match (request.method(), request.url()) {
            _ if to_this_machine && !asks_this_machine(&request) => {
                (403, "plain", "This page is for this machine alone.\n".to_owned())
            }
            (Method::Get | Method::Head, "/") => match current(&mut last, &mut live) {
                Ok(html) => (200, "html", html),
                Err(failure) => (500, "plain", format!("{failure}\n")),
            },
            (Method::Get | Method::Head, _) => (404, "plain", "The page is at /.\n".to_owned()),
            _ => (405, "plain", "The page can only be read.\n".to_owned()),
        };
        let header = |name: &str, value: &str| Header::from_bytes(name, value).expect("plain ASCII");
        let response = Response::from_string(text)
            .with_status_code(status)
            .with_header(header("Content-Type", &format!("text/{kind}; charset=utf-8")))
            .with_header(header("Cache-Control", "no-store"));
        let _ = request.respond(response); // who asked may be gone
    }
}

/// Whether the browser was sent here by this machine's own name: a stranger's site may have its name lead here.
fn asks_this_machine(request: &Request) -> bool {
    let host = request.headers().iter().find(|header| header.field.equiv("Host"));
    let name = host.map_or("", |header| header.value.as_str());
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn current<M: FnOnce() -> Result<String>>(
    last: &mut Option<(String, String)>,
    live: &mut impl FnMut() -> Result<Live<M>>,
) -> Result<String> {
    let Live { key, make } = live()?;
    if let Some((of, html)) = last
        && *of == key
    {
        return Ok(html.clone());
    }
    let html = make()?;
    *last = Some((key, html.clone()));
    Ok(html)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpStream},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::SeqCst},
        },
        thread,
    };

    use super::*;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut connection = TcpStream::connect(address).unwrap();
        write!(connection, "{request}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_page_is_made_anew_when_its_key_changes_and_only_then() {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let address = server.server_addr().to_ip().unwrap();
        let (results, made) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
        let thread = {
            let (server, results, made) = (server.clone(), results.clone(), made.clone());
            thread::spawn(move || {
                answer_all(&server, || {
                    let (now, made) = (results.load(SeqCst), made.clone());
                    let make = move || {
                        made.fetch_add(1, SeqCst);
                        if now == 3 {
                            Err(Failure::data("a table is cut"))
                        } else {
                            Ok(format!("page {now}"))
                        }
                    };
                    Ok(Live { key: now.to_string(), make })
                });
            })
        };
        let get = || ask(address, "GET / HTTP/1.1\r\nHost: localhost:8000");
        assert!(get().ends_with("page 1") && get().ends_with("page 1"));
        assert_eq!(made.load(SeqCst), 1);
        results.store(2, SeqCst);
        assert!(get().ends_with("page 2"));
        results.store(3, SeqCst);
        let failed = get();
        assert!(failed.starts_with("HTTP/1.1 500") && failed.contains("a table is cut"), "{failed}");
        results.store(2, SeqCst);
        assert!(get().ends_with("page 2"), "it goes on");
        for (request, status) in [
            ("GET /secret HTTP/1.1\r\nHost: 127.0.0.1", "404"),
            ("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0", "405"),
            ("GET / HTTP/1.1\r\nHost: elsewhere.example", "403"),
        ] {
            let answer = ask(address, request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        }
        server.unblock();
        thread.join().unwrap();
    }
}
