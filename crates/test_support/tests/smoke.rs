//! The pieces together: a real server, a real browser, a click, the answer.

use inspector_test_support::{Browser, DJUST_VERSIONS, DjustServer, Flavour, STEP_DEADLINE, ServerOptions, TestError, test_id, wait_until};

type Done = Result<(), TestError>;

#[tokio::test]
async fn a_click_reaches_the_server_and_comes_back() -> Done {
    let server = DjustServer::start(ServerOptions::default()).await?;
    let browser = Browser::launch().await?;
    let page = browser.new_page().await?;
    page.open_live(&server.url("/counter/")).await?;
    assert_eq!(page.text(&test_id("count")).await?.as_deref(), Some("0"));
    page.click(&test_id("increment")).await?;
    page.wait_text(&test_id("count"), "1", STEP_DEADLINE).await?;
    page.type_text(&test_id("add-n"), "41").await?;
    page.click(&test_id("add-submit")).await?;
    page.wait_text(&test_id("count"), "42", STEP_DEADLINE).await?;
    page.click(&test_id("boom")).await?;
    page.dismiss_error_overlay().await?;
    page.click(&test_id("decrement")).await?;
    page.wait_text(&test_id("count"), "1041", STEP_DEADLINE).await?;
    assert!(page.console().iter().any(|line| line.contains("boom from handler")), "{:?}", page.console());

    let picture = tempfile::NamedTempFile::new().map_err(|source| TestError::Io { what: "picture".into(), source })?;
    page.screenshot(picture.path()).await?;
    let bytes = std::fs::read(picture.path()).map_err(|source| TestError::Io { what: "picture".into(), source })?;
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 5_000, "{} bytes", bytes.len());
    page.close().await
}

#[tokio::test]
async fn every_djust_version_serves_and_mounts() -> Done {
    let browser = Browser::launch().await?;
    for version in DJUST_VERSIONS {
        let server = DjustServer::start(ServerOptions::default().djust(version)).await?;
        assert!(server.get("/").await?.body.contains(&format!("djust {version}")), "{version}");
        let page = browser.new_page().await?;
        page.open_live(&server.url("/shop/")).await?;
        page.click(&test_id("buy-1")).await?;
        page.wait_for("document.querySelectorAll('[data-test=lines] tr').length === 1").await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_users_are_kept_apart_and_a_push_crosses_between_them() -> Done {
    let server = DjustServer::start(ServerOptions::default().flavour(Flavour::Daphne)).await?;
    let browser = Browser::launch().await?;
    let (alice, bob) = (browser.new_page().await?, browser.new_page().await?);
    for (page, button) in [(&alice, "login-alice"), (&bob, "login-bob")] {
        page.open(&server.url("/login/?next=/push/")).await?;
        page.click(&test_id(button)).await?;
        page.wait_mounted().await?;
    }
    alice.wait_text(&test_id("name"), "alice", STEP_DEADLINE).await?;
    bob.wait_text(&test_id("name"), "bob", STEP_DEADLINE).await?;
    alice.type_text(&test_id("text"), "hello bob").await?;
    alice.click(&test_id("announce")).await?;
    bob.wait_for("document.querySelector('[data-test=announcements]').innerText.includes('hello bob')").await
}

#[tokio::test]
async fn an_edited_file_changes_this_copy_only_and_hot_reload_sees_it() -> Done {
    let server = DjustServer::start(ServerOptions::default()).await?;
    let browser = Browser::launch().await?;
    let page = browser.new_page().await?;
    page.open_live(&server.url("/hvr/")).await?;
    page.click(&test_id("increment")).await?;
    page.wait_text(&test_id("count"), "1", STEP_DEADLINE).await?;
    assert!(matches!(server.edit("lab/hvr_views.py", "no such text", ""), Err(TestError::NotOnce { times: 0, .. })));
    server.edit("lab/hvr_views.py", "self.count += 1", "self.count += 10")?;
    // The class is swapped at some moment after the save, and keeps the count.
    wait_until(STEP_DEADLINE, "a click to add ten", async || {
        let read = async || page.text(&test_id("count")).await.map_err(|error| error.to_string())?.ok_or("no count".to_owned());
        let before: u32 = read().await?.parse().map_err(|error| format!("{error}"))?;
        page.click(&test_id("increment")).await.map_err(|error| error.to_string())?;
        let after = wait_until(STEP_DEADLINE, "the count to move", async || match read().await?.parse::<u32>() {
            Ok(now) if now != before => Ok(now),
            other => Err(format!("{other:?}")),
        })
        .await
        .map_err(|error| error.to_string())?;
        if after == before + 10 { Ok(()) } else { Err(format!("{before} then {after}")) }
    })
    .await?;
    let original = inspector_test_support::project_dir().join("lab/hvr_views.py");
    assert!(std::fs::read_to_string(original).is_ok_and(|text| !text.contains("+= 10")));
    Ok(())
}

#[tokio::test]
async fn a_killed_server_comes_back_on_the_same_port_and_the_page_reconnects() -> Done {
    let mut server = DjustServer::start(ServerOptions::default()).await?;
    let address = server.address();
    let browser = Browser::launch().await?;
    let page = browser.new_page().await?;
    page.open_live(&server.url("/counter/")).await?;
    page.click(&test_id("increment")).await?;
    page.wait_text(&test_id("count"), "1", STEP_DEADLINE).await?;
    server.kill9();
    assert!(server.get("/").await.is_err());
    server.restart().await?;
    assert_eq!(server.address(), address);
    page.reload().await?;
    page.wait_mounted().await?;
    page.wait_text(&test_id("count"), "0", STEP_DEADLINE).await?;
    server.stop().await?;
    assert!(server.get("/").await.is_err());
    Ok(())
}

#[tokio::test]
async fn autoreloading_servers_start_and_leave_nothing_behind() -> Done {
    for flavour in [Flavour::Runserver, Flavour::UvicornReload, Flavour::RunserverNoreload] {
        let server = DjustServer::start(ServerOptions::default().flavour(flavour)).await?;
        assert_eq!(server.get("/counter/").await?.status, 200, "{flavour:?}");
        let address = server.address();
        drop(server);
        wait_until(STEP_DEADLINE, "the port to be free again", async || match tokio::net::TcpStream::connect(address).await {
            Ok(_) => Err(format!("{flavour:?} still answers")),
            Err(_) => Ok(()),
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_its_output() {
    let error = DjustServer::start(ServerOptions::default().env("DEMO_RATE", "no-such-rate")).await.unwrap_err();
    assert!(error.to_string().contains("KeyError"), "{error}");
}
