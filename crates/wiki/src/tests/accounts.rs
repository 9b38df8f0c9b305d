use crate::testing::{Site, on_each_database};
use crate::{Actor, Credentials, Error, LogIn, NewAccount};

const PASSWORD: &str = "correct horse battery";

async fn ann(site: &Site) {
    let account = NewAccount {
        name: "Ann".into(),
        password: Some(PASSWORD.into()),
        ..NewAccount::default()
    };
    site.wiki
        .accounts()
        .add(&Actor::System, account)
        .await
        .unwrap();
}

async fn log_in(site: &Site, name: &str, password: &str) -> LogIn {
    let credentials = Credentials {
        name: name.into(),
        password: password.into(),
        address: "192.0.2.1".into(),
    };
    site.wiki.sessions().log_in(credentials).await.unwrap()
}

#[test]
fn the_first_administrator_is_made_once_with_the_newest_token() {
    on_each_database(async |site| {
        let accounts = site.wiki.accounts();
        assert!(accounts.first_run().await.unwrap());
        let old = accounts.issue_setup_token().await.unwrap();
        let token = accounts.issue_setup_token().await.unwrap();
        let admin = || NewAccount {
            name: "root".into(),
            password: Some(PASSWORD.into()),
            ..NewAccount::default()
        };
        assert!(!accounts.is_setup_token(&old).await.unwrap());
        assert!(accounts.is_setup_token(&token).await.unwrap());
        assert!(matches!(
            accounts.set_up(&old, admin()).await,
            Err(Error::Forbidden(_))
        ));
        let person = accounts.set_up(&token, admin()).await.unwrap();
        assert!(!accounts.first_run().await.unwrap());
        assert!(matches!(
            accounts.set_up(&token, admin()).await,
            Err(Error::Forbidden(_))
        ));
        let session = site.wiki.sessions().begin(person.id).await.unwrap();
        assert!(session.session.actor.is_admin());
    });
}

#[test]
fn a_session_lasts_until_log_out_disabling_expiry_or_a_new_password() {
    on_each_database(async |site| {
        ann(&site).await;
        let sessions = site.wiki.sessions();
        let begin = async || match log_in(&site, "aNN", PASSWORD).await {
            LogIn::Done(session) => session.token,
            other => panic!("{other:?}"),
        };
        let token = begin().await;
        let session = sessions.resume(&token).await.unwrap().unwrap();
        assert_eq!(session.actor.person().unwrap().name, "Ann");
        assert_ne!(session.csrf_token, token);
        sessions.log_out(&token).await.unwrap();
        assert!(sessions.resume(&token).await.unwrap().is_none());

        let token = begin().await;
        site.wiki
            .accounts()
            .set_password(&Actor::System, "ann", "another password")
            .await
            .unwrap();
        assert!(sessions.resume(&token).await.unwrap().is_none());
        site.wiki
            .accounts()
            .set_password(&Actor::System, "ann", PASSWORD)
            .await
            .unwrap();

        let token = begin().await;
        site.clock.advance(31 * 24 * 3_600_000);
        assert!(sessions.resume(&token).await.unwrap().is_none());

        let token = begin().await;
        site.wiki
            .accounts()
            .disable(&Actor::System, "ann")
            .await
            .unwrap();
        assert!(sessions.resume(&token).await.unwrap().is_none());
        assert!(matches!(
            log_in(&site, "ann", PASSWORD).await,
            LogIn::Refused { .. }
        ));
    });
}

#[test]
fn guessing_is_slowed_down_and_the_message_says_when_to_try_again() {
    on_each_database(async |site| {
        ann(&site).await;
        for _ in 0..5 {
            assert!(matches!(
                log_in(&site, "ann", "wrong password").await,
                LogIn::Refused { .. }
            ));
        }
        let LogIn::Limited {
            message,
            retry_at_ms,
        } = log_in(&site, "ANN", PASSWORD).await
        else {
            panic!("the right password must wait too")
        };
        assert!(message.ends_with("try again in 5 seconds"), "{message}");
        assert_eq!(retry_at_ms, site.wiki.now_ms() + 5_000);
        site.clock.advance(5_000);
        assert!(matches!(
            log_in(&site, "ann", PASSWORD).await,
            LogIn::Done(_)
        ));
        assert!(matches!(
            log_in(&site, "ann", "wrong password").await,
            LogIn::Refused { .. }
        ));
    });
}

#[test]
fn an_account_without_password_cannot_log_in_until_one_is_set() {
    on_each_database(async |site| {
        site.user("imported").await;
        assert!(matches!(
            log_in(&site, "imported", "").await,
            LogIn::Refused { .. }
        ));
        site.wiki
            .accounts()
            .set_password(&Actor::System, "Imported", PASSWORD)
            .await
            .unwrap();
        assert!(matches!(
            log_in(&site, "imported", PASSWORD).await,
            LogIn::Done(_)
        ));
    });
}

#[test]
fn a_token_stands_for_its_account_as_bearer_and_in_basic() {
    on_each_database(async |site| {
        ann(&site).await;
        let tokens = site.wiki.tokens();
        let secret = tokens
            .create(&Actor::System, "ann", "script")
            .await
            .unwrap();
        let actor = tokens.authenticate(&secret).await.unwrap().unwrap();
        assert_eq!(actor.person().unwrap().name, "Ann");
        let basic = async |name: &str, password: &str| {
            tokens
                .authenticate_basic(name, password, "192.0.2.1")
                .await
                .unwrap()
                .is_some()
        };
        assert!(basic("ann", &secret).await);
        assert!(!basic("bob", &secret).await);
        assert!(basic("ann", PASSWORD).await);
        assert!(!basic("ann", "wrong password").await);
        let listed = tokens.list(&actor, "ann").await.unwrap();
        assert_eq!(listed[0].last_used_at_ms, Some(site.wiki.now_ms()));
        tokens.revoke(&actor, listed[0].id).await.unwrap();
        assert!(tokens.authenticate(&secret).await.unwrap().is_none());
    });
}

#[test]
fn accounts_are_the_administrators_business() {
    on_each_database(async |site| {
        let bob = site.user("bob").await;
        ann(&site).await;
        let accounts = site.wiki.accounts();
        let refused =
            |result: Result<(), Error>| assert!(matches!(result, Err(Error::Forbidden(_))));
        refused(accounts.disable(&bob, "ann").await);
        refused(accounts.set_password(&bob, "ann", PASSWORD).await);
        refused(accounts.list(&bob).await.map(drop));
        refused(accounts.search(&Actor::Anonymous, "a", 5).await.map(drop));
        accounts.set_password(&bob, "bob", PASSWORD).await.unwrap();
        assert_eq!(accounts.search(&bob, "AN", 5).await.unwrap().len(), 1);
        let again = NewAccount {
            name: "BOB".into(),
            ..NewAccount::default()
        };
        assert!(matches!(
            accounts.add(&Actor::System, again).await,
            Err(Error::Conflict(_))
        ));
    });
}
