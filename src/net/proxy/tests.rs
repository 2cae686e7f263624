use bytes::Bytes;
use hyper::http::Request;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::net::Net;
use crate::settings::{NetSettings, Vars};

fn settings(address: &str, no_proxy: &str) -> ProxySettings {
    let (host, port) = address.rsplit_once(':').unwrap();
    let credentials = ProxyCredentials { user: "ann".to_owned(), password: Secret::new("hunter2") };
    ProxySettings {
        setting: "ProofpointProxy",
        host: host.to_owned(),
        port: port.parse().unwrap(),
        credentials: Some(credentials),
        no_proxy: no_proxy.to_owned(),
    }
}

/// Listens where a proxy would, answers one connection with `answer`, and gives what it was asked.
async fn answering(answer: impl Into<String>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = answer.into();
    let asked = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(client.read_buf(&mut request).await.unwrap(), 0);
        }
        client.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (address, asked)
}

async fn connect(answer: impl Into<String>) -> Result<(), ProxyError> {
    let (address, asked) = answering(answer).await;
    let connected = Proxy::new(&settings(&address, "")).connect("logs.example.com", 443).await;
    asked.await.unwrap();
    connected.map(drop)
}

#[tokio::test]
async fn the_connect_request_names_the_peer_and_the_user() {
    let (address, asked) = answering("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    Proxy::new(&settings(&address, "")).connect("logs.example.com", 443).await.unwrap();
    let expected = format!(
        "CONNECT logs.example.com:443 HTTP/1.1\r\nHost: logs.example.com:443\r\n\
         User-Agent: {PRODUCT}\r\nProxy-Authorization: Basic YW5uOmh1bnRlcjI=\r\n\r\n"
    );
    assert_eq!(asked.await.unwrap(), expected);
}

#[tokio::test]
async fn each_answer_of_the_proxy_has_its_own_error() {
    assert_eq!(connect("HTTP/1.0 200\r\n\r\n").await, Ok(()));
    for (answer, passing, words) in [
        ("HTTP/1.1 407 Who\r\n\r\n", false, "answered 407"),
        (
            "HTTP/1.1 403 No\r\n\r\nA page",
            false,
            "answered 403 to the request for a connection to logs.example.com:443",
        ),
        ("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", false, "allow this peer on the proxy"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", true, "the next run tries again"),
        ("HTTP/1.1 503 Later\r\n\r\n", true, "answered 503"),
        ("SSH-2.0-OpenSSH_9\r\n\r\n", false, "does not answer like an HTTP proxy"),
        ("HTTP/1.1 2x0\r\n\r\n", false, "does not answer like an HTTP proxy"),
        ("HTTP/1.1 200 OK\r\n", true, "its answer breaks off"),
        ("", true, "it closed the connection"),
    ] {
        let error = connect(answer).await.expect_err(answer);
        let text = error.to_string();
        assert_eq!(error.is_passing(), passing, "{text}");
        assert!(text.contains(words) && text.contains("(ProofpointProxy)"), "{text}");
        assert!(!format!("{text}{error:?}").contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn informational_answers_before_the_final_one_are_passed_over() {
    for answer in [
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 102 Processing\r\nVia: x\r\n\r\nHTTP/1.1 100 Go on\r\n\r\nHTTP/1.0 200\r\n\r\n",
    ] {
        assert_eq!(connect(answer).await, Ok(()), "{answer}");
    }
    let refused = connect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n").await;
    assert!(refused.unwrap_err().to_string().contains("answered 403"));
    let cut = connect("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert!(cut.unwrap_err().is_passing(), "it may work the next time");
}

#[tokio::test]
async fn a_proxy_that_takes_no_basic_is_told_by_what_it_takes() {
    for (headers, offered) in [
        (
            "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n",
            Some("NTLM and Negotiate"),
        ),
        ("proxy-authenticate: Negotiate, NTLM\r\n", Some("Negotiate and NTLM")),
        ("Proxy-Authenticate: Digest realm=\"a, b\", nonce=\"c\"\r\n", Some("Digest")),
        ("Proxy-Authenticate: NTLM\r\nProxy-Authenticate: basic realm=\"x\"\r\n", None),
        ("Proxy-Authenticate: Negotiate, Basic realm=\"x\"\r\n", None),
        ("", None),
    ] {
        let error = connect(format!("HTTP/1.1 407 Who\r\n{headers}\r\n")).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(error.code(), error_code::PROXY_CREDENTIALS);
        match offered {
            Some(offered) => assert!(text.contains(&format!("takes only {offered},")), "{text}"),
            None => assert!(text.contains("a user and a password, or other ones"), "{text}"),
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * MAX_HEAD_BYTES as usize));
    let error = connect(long).await.unwrap_err();
    assert!(error.to_string().contains("is too long"), "{error}");
}

#[test]
fn no_proxy_names_peers_that_are_reached_directly() {
    let cases: [(&str, &[&str], &[&str]); 7] = [
        ("", &["logs.example.com", "127.0.0.1"], &[]),
        ("*", &[], &["logs.example.com", "127.0.0.1", "[::1]"]),
        ("example.com", &["notexample.com", "com"], &["example.com", "logs.EXAMPLE.com"]),
        (".example.com", &["notexample.com"], &["example.com", "logs.example.com"]),
        ("other.org, localhost", &["host", "127.0.0.1"], &["localhost", "other.org"]),
        ("10.1.0.0/16,192.0.2.7", &["10.2.0.1", "192.0.2.70"], &["10.1.2.3", "192.0.2.7"]),
        ("fd00::/8,example.com:443", &["[fe80::1]", "example.com"], &["[fd00::1]"]),
    ];
    for (no_proxy, proxied, direct) in cases {
        let proxy = Proxy::new(&settings("proxy:3128", no_proxy));
        for host in proxied {
            assert!(proxy.is_for(host), "NO_PROXY={no_proxy} and {host}");
        }
        for host in direct {
            assert!(!proxy.is_for(host), "NO_PROXY={no_proxy} and {host}");
        }
    }
}

#[test]
fn the_password_is_not_printed() {
    let proxy = Proxy::new(&settings("proxy:3128", ""));
    let text = format!("{proxy:?}");
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg"), "{text}");
    assert!(!text.contains(&BASE64_STANDARD.encode("ann:hunter2")), "{text}");
}

/// What the HTTP client makes of an HTTPS request through a proxy at `address`.
async fn failed_request(address: &str) -> String {
    let pairs = [
        ("ProofpointClusterID", "acme_hosted".to_owned()),
        ("ProofpointToken", "t0ken".to_owned()),
        ("ProofpointProxy", format!("http://ann:hunter2@{address}")),
    ];
    let vars: Vars = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let net = Net::of(&NetSettings::read(&vars).unwrap()).unwrap();
    let request = Request::get("https://logs.example.com").body(Bytes::new()).unwrap();
    let error = net.http.send_whole(request).await.unwrap_err();
    assert!(error.is_connecting());
    assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn the_http_client_uses_the_proxy_and_explains_its_faults() {
    for (answer, advice) in [
        ("HTTP/1.1 407 Who\r\n\r\n", "it requires a user and a password"),
        ("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 403 No\r\n\r\n", "allow this peer on the proxy"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "it can't reach the peer at present"),
        // The proxy lets it through, and then no TLS comes.
        ("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "tls handshake eof"),
    ] {
        let (address, asked) = answering(answer).await;
        let text = failed_request(&address).await;
        assert!(text.contains(advice), "{text}");
        let request = asked.await.unwrap().to_ascii_lowercase();
        assert!(request.starts_with("connect logs.example.com:443 http/1.1\r\n"), "{request}");
        assert!(request.contains("proxy-authorization: basic yw5uomh1bnrlcji=\r\n"), "{request}");
    }
    // Port 1 is nobody's.
    let text = failed_request("127.0.0.1:1").await;
    assert!(text.contains("the proxy 127.0.0.1:1 (ProofpointProxy) can't be reached"), "{text}");
}
