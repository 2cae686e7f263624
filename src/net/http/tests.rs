use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::net::Net;

const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const TORN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";

async fn request_head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8(head).unwrap())
}

/// Answers the requests on each connection with `answer`, and closes it after one if the answer is
/// torn. Gives the address.
async fn answering(answer: &'static str) -> Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            while request_head(&mut client).await.is_some() {
                client.write_all(answer.as_bytes()).await.unwrap();
                if answer == TORN {
                    break;
                }
            }
        }
    });
    format!("http://{address}/where?it=is").parse().unwrap()
}

fn get(address: &Uri) -> Request<Bytes> {
    Request::get(address.clone()).body(Bytes::new()).unwrap()
}

fn client() -> HttpClient {
    Net::new(None).unwrap().http
}

#[tokio::test]
async fn no_more_of_a_body_is_read_than_is_asked_for() {
    let address = answering(WHOLE).await;
    for (most, body) in [(0, ""), (1, "h"), (5, "hello"), (usize::MAX, "hello")] {
        let answer = client().send(get(&address), most).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, body.as_bytes()));
    }
    assert_eq!(client().send_whole(get(&address)).await.unwrap().body().as_ref(), b"hello");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_only_if_all_is_wanted() {
    let address = answering(TORN).await;
    let answer = client().send(get(&address), usize::MAX).await.unwrap();
    assert_eq!(answer.body().as_ref(), b"hello");
    let error = client().send_whole(get(&address)).await.unwrap_err();
    assert!(!error.is_connecting(), "{error}");
}

#[tokio::test]
async fn informational_answers_and_redirects_are_not_followed() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n\
                 HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let answer = client().send(get(&answering(early).await), 10).await.unwrap();
    assert_eq!(answer.status().as_u16(), 302);
}

#[tokio::test]
async fn requests_go_over_one_connection_and_name_the_program() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut heads = Vec::new();
        for _ in 0..3 {
            heads.push(request_head(&mut connection).await.expect("on the same connection"));
            connection.write_all(WHOLE.as_bytes()).await.unwrap();
        }
        heads
    });
    let client = client();
    for method in ["GET", "PUT", "DELETE"] {
        let request = Request::builder().method(method).uri(address.clone());
        client.send_whole(request.body(Bytes::new()).unwrap()).await.unwrap();
    }
    for head in server.await.unwrap() {
        assert!(head.contains(&format!("user-agent: {PRODUCT}\r\n")), "{head}");
        assert_eq!(head.contains("content-length: 0\r\n"), head.starts_with("PUT "), "{head}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (asked, was_asked) = oneshot::channel();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        asked.send(request_head(&mut connection).await).unwrap();
        std::future::pending::<()>().await;
        drop(connection);
    });
    let sent = tokio::spawn(async move { client().send_whole(get(&address)).await });
    was_asked.await.unwrap();
    // From here on the clock runs as fast as it can.
    tokio::time::pause();
    assert!(matches!(sent.await.unwrap(), Err(HttpError::TimedOut)));
}

#[tokio::test]
async fn an_error_tells_no_address() {
    let address = "http://127.0.0.1:1/state?sig=hunter2".parse().unwrap();
    let error = client().send_whole(get(&address)).await.unwrap_err();
    assert!(error.is_connecting() && error.to_string().contains("refused"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_body_is_given_as_it_comes_and_says_if_it_breaks_off() {
    for (answer, is_whole) in [(WHOLE, true), (TORN, false)] {
        let address = answering(answer).await;
        let mut body = client().open(get(&address)).await.unwrap().into_body();
        let mut read = Vec::new();
        let end = loop {
            match body.chunk().await {
                Ok(Some(chunk)) => read.extend_from_slice(&chunk),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!((read.as_slice(), end.is_ok()), (&b"hello"[..], is_whole));
        if let Err(error) = end {
            assert!(matches!(error, HttpError::Broken(_)), "{error}");
        }
    }
}
