use super::*;
use crate::testing::{START_MS, Site, on_each_database};
use crate::{Credentials, NewAccount};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};

const HOUR: Duration = Duration::from_secs(3_600);
const PASSWORD: &str = "correct horse battery";

async fn issue(site: &Site, actor: &Actor) -> String {
    let trust = site.wiki.trust();
    let issued = trust.issue(actor, "page-5", TokenRights::Write, HOUR).await;
    issued.unwrap().token
}

async fn refusal(site: &Site, token: &str) -> String {
    match site.wiki.trust().verify(token).await {
        Err(Error::Forbidden(message)) => message,
        other => panic!("{token}: {other:?}"),
    }
}

fn part(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

/// The parts of a token: header, body, signature.
fn parts(token: &str) -> (String, String, String) {
    let mut parts = token.split('.').map(str::to_owned);
    let mut next = || parts.next().unwrap();
    (next(), next(), next())
}

fn text_of(part: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// [ROLE-3]
#[test]
fn a_token_says_who_and_until_when() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let trust = site.wiki.trust();
        let issued = trust
            .issue(&ann, "page-5", TokenRights::Write, HOUR)
            .await
            .unwrap();
        assert_eq!(issued.expires_at_ms, START_MS + 3_600_000);
        let claims = trust.verify(&issued.token).await.unwrap();
        assert_eq!(claims.user, ann.user_id());
        assert_eq!(claims.rights, TokenRights::Write);
        assert_eq!(claims.expires_at_ms, issued.expires_at_ms);
        assert!(claims.covers("page-5") && !claims.covers("page-51"));
        assert!(!claims.is_service());
        assert_eq!(trust.actor(&claims).await.unwrap(), ann);
        assert!(Trust::is_token(&issued.token));

        let (header, body, _) = parts(&issued.token);
        assert!(text_of(&header).starts_with("{\"alg\":\"EdDSA\",\"kid\":\""));
        assert!(text_of(&body).starts_with("{\"iss\":\"watersmeet\",\"sub\":\""));

        let nobody = issue(&site, &Actor::Anonymous).await;
        let claims = trust.verify(&nobody).await.unwrap();
        assert_eq!(trust.actor(&claims).await.unwrap(), Actor::Anonymous);

        let service = trust.issue_service(HOUR).await.unwrap();
        let claims = trust.verify(&service.token).await.unwrap();
        assert!(claims.is_service());
        assert_eq!(trust.actor(&claims).await.unwrap(), Actor::Anonymous);
        let person = trust.issue(&ann, "*", TokenRights::Admin, HOUR).await;
        assert!(matches!(person, Err(Error::Forbidden(_))));
    });
}

#[test]
fn a_token_covers_a_document_or_a_namespace() {
    on_each_database(async |site| {
        let trust = site.wiki.trust();
        let covers = async |pattern: &str, document: &str| {
            let issued = trust.issue(&Actor::Anonymous, pattern, TokenRights::Read, HOUR);
            let claims = trust.verify(&issued.await.unwrap().token).await.unwrap();
            claims.covers(document)
        };
        assert!(covers("notes/*", "notes/a").await);
        assert!(!covers("notes/*", "notes/").await);
        assert!(!covers("notes/*", "notes2/a").await);
        assert!(!covers("notes/*", "page-5").await);
        assert!(covers("*", "notes/a").await);
        for wrong in ["", "a*", "*/*", "a/b/*", "/*", "notes/*/b"] {
            let issued = trust.issue(&Actor::Anonymous, wrong, TokenRights::Read, HOUR);
            assert!(matches!(issued.await, Err(Error::Invalid(_))), "{wrong}");
        }
        for wrong in [Duration::ZERO, HOUR * 25] {
            let issued = trust.issue(&Actor::Anonymous, "page-1", TokenRights::Read, wrong);
            assert!(matches!(issued.await, Err(Error::Invalid(_))));
        }
    });
}

/// [ROLE-3]
#[test]
fn a_token_is_good_for_its_time_give_or_take_a_minute() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let token = issue(&site, &ann).await;
        site.clock.advance(-60_000);
        site.wiki.trust().verify(&token).await.unwrap();
        site.clock.advance(-1_000);
        assert!(refusal(&site, &token).await.contains("of the future"));
        site.clock.advance(61_000 + 3_600_000 + 59_999);
        site.wiki.trust().verify(&token).await.unwrap();
        site.clock.advance(1);
        assert!(refusal(&site, &token).await.contains("expired"));
    });
}

/// [ROLE-4]
#[test]
fn what_was_altered_or_signed_by_others_is_refused() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let token = issue(&site, &ann).await;
        let (header, body, signature) = parts(&token);
        let (kid_header, claims) = (text_of(&header), text_of(&body));

        let altered = part(&claims.replace("page-5", "page-6"));
        let message = refusal(&site, &format!("{header}.{altered}.{signature}")).await;
        assert!(message.contains("signature"), "{message}");
        let flipped = signature.replacen(
            &signature[..1],
            if &signature[..1] == "A" { "B" } else { "A" },
            1,
        );
        let message = refusal(&site, &format!("{header}.{body}.{flipped}")).await;
        assert!(message.contains("signature"), "{message}");

        for algorithm in ["none", "None", "HS256", "RS256", "ES256", "Ed25519", ""] {
            let other = part(&kid_header.replace("EdDSA", algorithm));
            for signature in ["", &signature] {
                let message = refusal(&site, &format!("{other}.{body}.{signature}")).await;
                assert!(message.contains("malformed"), "{algorithm}: {message}");
            }
        }
        // The public key as a shared secret, the usual confusion.
        let keys = site.wiki.trust().keys().await.unwrap();
        let stranger = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let signed = format!("{}.{body}", part(&kid_header.replace("EdDSA", "HS256")));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, stranger.public_key().as_ref());
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, signed.as_bytes()));
        assert!(
            refusal(&site, &format!("{signed}.{tag}"))
                .await
                .contains("malformed")
        );

        // A stranger's key under our key's name, and under its own.
        let signed = format!("{header}.{body}");
        let theirs = URL_SAFE_NO_PAD.encode(stranger.sign(signed.as_bytes()));
        assert!(
            refusal(&site, &format!("{signed}.{theirs}"))
                .await
                .contains("signature")
        );
        let signed = format!(
            "{}.{body}",
            part(&kid_header.replace(keys.name(), "0123456789abcdef"))
        );
        let theirs = URL_SAFE_NO_PAD.encode(stranger.sign(signed.as_bytes()));
        assert!(
            refusal(&site, &format!("{signed}.{theirs}"))
                .await
                .contains("a key that is not used")
        );
    });
}

/// [ROLE-4]
#[test]
fn a_signed_text_must_still_be_one_of_ours() {
    on_each_database(async |site| {
        let keys = site.wiki.trust().keys().await.unwrap();
        let header = format!("{{\"alg\":\"EdDSA\",\"kid\":\"{}\"", keys.name());
        let now = START_MS / 1_000;
        let body = |iss: &str, doc: &str| {
            format!(
                "{{\"iss\":\"{iss}\",\"sub\":\"\",\"doc\":\"{doc}\",\"rights\":\"read\",\"iat\":{now},\"exp\":{}}}",
                now + 60
            )
        };
        let sign = |header: String, body: &str| {
            let signed = format!("{}.{}", part(&header), part(body));
            let signature = URL_SAFE_NO_PAD.encode(keys.sign(signed.as_bytes()));
            format!("{signed}.{signature}")
        };
        let good = body("watersmeet", "page-1");
        let token = sign(format!("{header}}}"), &good);
        site.wiki.trust().verify(&token).await.unwrap();
        let refused = [
            sign(
                format!("{header},\"crit\":[\"b64\"],\"b64\":false}}"),
                &good,
            ),
            sign(format!("{header},\"typ\":\"at+jwt\"}}"), &good),
            sign(format!("{header}}}"), &body("another", "page-1")),
            sign(
                format!("{header}}}"),
                &good.replace("\"doc\":\"page-1\",", ""),
            ),
            sign(format!("{header}}}"), &good.replace("read", "root")),
            sign(
                format!("{header}}}"),
                &good.replace("\"sub\":\"\"", "\"sub\":\"ann\""),
            ),
            sign(
                format!("{header}}}"),
                &good.replace(&format!("\"exp\":{}", now + 60), "\"exp\":0"),
            ),
            sign(
                format!("{header}}}"),
                &body("watersmeet", &"x".repeat(4_000)),
            ),
            format!("{token}="),
            format!("{token}.{token}"),
            "..".to_owned(),
            ".".to_owned(),
            String::new(),
            "é.é.é".to_owned(),
        ];
        for token in refused {
            let message = refusal(&site, &token).await;
            assert!(message.contains("malformed"), "{token}: {message}");
        }
        let forever = good.replace(&format!("{}}}", now + 60), "9223372036854775807}");
        site.wiki
            .trust()
            .verify(&sign(format!("{header}}}"), &forever))
            .await
            .unwrap();
    });
}

/// [ROLE-5]
#[test]
fn a_token_ends_with_the_session_the_account_or_the_access_token_behind_it() {
    on_each_database(async |site| {
        let account = NewAccount {
            name: "ann".into(),
            password: Some(PASSWORD.into()),
            ..NewAccount::default()
        };
        let accounts = site.wiki.accounts();
        accounts.add(&Actor::System, account).await.unwrap();
        let credentials = Credentials {
            name: "ann".into(),
            password: PASSWORD.into(),
            address: "192.0.2.1".into(),
        };
        let trust = site.wiki.trust();
        let standing = async |token: &str| {
            let claims = trust.verify(token).await.unwrap();
            trust.actor(&claims).await.is_ok()
        };
        let crate::LogIn::Done(new) = site.wiki.sessions().log_in(credentials).await.unwrap()
        else {
            panic!("not logged in")
        };
        let of_session = issue(&site, &new.session.actor).await;
        let secret = site
            .wiki
            .tokens()
            .create(&Actor::System, "ann", "editor")
            .await
            .unwrap();
        let by_token = site
            .wiki
            .tokens()
            .authenticate(&secret)
            .await
            .unwrap()
            .unwrap();
        let of_access_token = issue(&site, &by_token).await;
        let given = trust.issue_for(&Actor::System, "Ann", "page-5", TokenRights::Read, HOUR);
        let of_account = given.await.unwrap().token;
        for token in [&of_session, &of_access_token, &of_account] {
            assert!(standing(token).await);
        }
        site.wiki.sessions().log_out(&new.token).await.unwrap();
        assert!(!standing(&of_session).await);
        let listed = site
            .wiki
            .tokens()
            .list(&Actor::System, "ann")
            .await
            .unwrap();
        site.wiki
            .tokens()
            .revoke(&Actor::System, listed[0].id)
            .await
            .unwrap();
        assert!(!standing(&of_access_token).await);
        assert!(standing(&of_account).await);
        accounts.disable(&Actor::System, "ann").await.unwrap();
        assert!(!standing(&of_account).await);
        let given = trust.issue_for(&Actor::System, "ann", "page-5", TokenRights::Read, HOUR);
        assert!(matches!(given.await, Err(Error::Conflict(_))));
    });
}

/// [ROLE-6]
#[test]
fn new_keys_leave_the_tokens_of_the_old_ones_good_for_a_day() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let trust = site.wiki.trust();
        assert!(matches!(
            trust.rotate(&ann, false).await,
            Err(Error::Forbidden(_))
        ));
        let day = Duration::from_secs(24 * 3_600);
        let issued = trust
            .issue(&ann, "page-5", TokenRights::Write, day)
            .await
            .unwrap();
        let first = trust.keys().await.unwrap().name().to_owned();
        let second = trust.rotate(&Actor::System, false).await.unwrap();
        assert_ne!(first, second);
        let fresh = issue(&site, &ann).await;
        assert!(text_of(&parts(&fresh).0).contains(&second));
        trust.verify(&fresh).await.unwrap();
        site.clock.advance(24 * 3_600_000);
        trust.verify(&issued.token).await.unwrap();
        site.clock.advance(65_000);
        assert!(
            refusal(&site, &issued.token)
                .await
                .contains("a key that is not used")
        );

        let token = issue(&site, &ann).await;
        trust.rotate(&Actor::System, true).await.unwrap();
        assert!(
            refusal(&site, &token)
                .await
                .contains("a key that is not used")
        );
    });
}

/// [ROLE-6]
#[test]
fn a_process_learns_of_new_keys_that_another_made() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let trust = site.wiki.trust();
        trust.prepare().await.unwrap();
        let seed = [9; 32];
        let made = site
            .wiki
            .write(move |tx| keys::rotate(tx, &seed, START_MS, false))
            .await
            .unwrap();
        let claims = Claims {
            user: ann.user_id(),
            name: String::new(),
            document: "page-5".into(),
            rights: TokenRights::Read,
            proof: Proof::Given,
            issued_at_ms: START_MS,
            expires_at_ms: START_MS + 60_000,
        };
        let token = jwt::sign(&Body::of(&claims), &made).unwrap();
        site.clock.advance(1_000);
        trust.verify(&token).await.unwrap();
    });
}

/// [ROLE-3] Nothing that is near a token is one, and nothing breaks who reads it.
#[test]
fn no_mutation_of_a_token_is_believed() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let token = issue(&site, &ann).await;
        let keys = site.wiki.trust().keys().await.unwrap();
        assert!(jwt::open(&token, &keys, START_MS).is_ok());
        let alphabet = b"ABCDwxyz0189-_.=+/ \0";
        let mut state = 20_261_122_u64;
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as usize % limit.max(1)
        };
        for _ in 0..5_000 {
            let mut bytes = token.clone().into_bytes();
            for _ in 0..=below(3) {
                let at = below(bytes.len());
                match below(5) {
                    0 | 1 => bytes[at] = alphabet[below(alphabet.len())],
                    2 => bytes.insert(at, alphabet[below(alphabet.len())]),
                    3 => drop(bytes.drain(at..(at + 1 + below(8)).min(bytes.len()))),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let mutated = String::from_utf8(bytes).unwrap();
            let believed = jwt::open(&mutated, &keys, START_MS).is_ok();
            assert!(mutated == token || !believed, "{mutated}");
        }
    });
}
