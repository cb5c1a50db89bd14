//! Seats are counted, given back, and refused at the limit.

use super::*;

fn from(address: Option<[u8; 4]>) -> Parts {
    let mut request = http::Request::get("/");
    if let Some(address) = address {
        request = request.extension(IpAddr::from(address));
    }
    request.body(()).unwrap().into_parts().0
}

fn admission(change: impl FnOnce(&mut Rules)) -> Arc<Admission> {
    let address: Arc<ClientAddress> = Arc::new(|parts| parts.extensions.get::<IpAddr>().copied());
    let mut rules = Rules { address: Some(address), ..Rules::default() };
    change(&mut rules);
    Admission::new(rules)
}

#[test]
fn connections_in_all() {
    let admission = admission(|rules| rules.connections = Some(2));
    let first = admission.admit(&from(None)).unwrap();
    let _second = admission.admit(&from(None)).unwrap();
    assert_eq!(admission.admit(&from(None)).unwrap_err(), Denial::Connections);
    drop(first);
    assert!(admission.admit(&from(None)).is_ok());
}

#[test]
fn handshakes_at_a_time() {
    let admission = admission(|rules| rules.handshakes = Some(1));
    let mut first = admission.admit(&from(None)).unwrap();
    assert_eq!(admission.admit(&from(None)).unwrap_err(), Denial::Handshakes);
    first.opened();
    first.opened();
    let second = admission.admit(&from(None)).unwrap();
    drop(first);
    assert_eq!(admission.admit(&from(None)).unwrap_err(), Denial::Handshakes, "the first counted once");
    drop(second);
    assert!(admission.admit(&from(None)).is_ok(), "a handshake that failed is over too");
}

#[test]
fn connections_of_an_address() {
    let admission = admission(|rules| rules.connections_per_address = Some(1));
    let ann = admission.admit(&from(Some([192, 0, 2, 1]))).unwrap();
    assert_eq!(admission.admit(&from(Some([192, 0, 2, 1]))).unwrap_err(), Denial::ConnectionsOfAddress);
    let bob = admission.admit(&from(Some([192, 0, 2, 2]))).unwrap();
    let unknown = [admission.admit(&from(None)), admission.admit(&from(None))];
    assert!(unknown.iter().all(Result::is_ok), "no address, no limit");
    drop((ann, bob, unknown));
    let counts = admission.counts.lock();
    assert_eq!((counts.seats, counts.handshakes, counts.by_address.len()), (0, 0, 0), "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn handshakes_of_an_address_in_time() {
    let admission = admission(|rules| rules.rate_per_address = Some((2, Duration::from_secs(3))));
    let ann = || admission.admit(&from(Some([192, 0, 2, 1])));
    assert!(ann().is_ok() && ann().is_ok());
    let denial = ann().unwrap_err();
    assert_eq!(denial, Denial::RateOfAddress(Duration::from_millis(1500)));
    assert_eq!(denial.retry_after_seconds(), 2, "rounded up: then it works");
    assert!(admission.admit(&from(Some([192, 0, 2, 2]))).is_ok());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(ann().is_ok());
}
