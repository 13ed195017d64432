//! Members' photos: made anew, shown to whom their member shows them, and gone without a trace.

use std::io::Cursor;

use hope_exchange::{
    domain::{audit::AuditEntry, member::Role},
    jobs,
};
use image::{GenericImageView, ImageFormat, Rgba, RgbaImage};
use reqwest::Method;

use super::*;
use crate::{community::all, on_both_stores};

/// A picture of which the left third and the right third are red, and the middle is `middle`.
fn picture(middle: [u8; 4]) -> Vec<u8> {
    let colour = |x| if (600..1200).contains(&x) { Rgba(middle) } else { Rgba([250, 0, 0, 255]) };
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::from_fn(1800, 600, |x, _| colour(x)).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// With what a camera, or somebody, may have hidden in it.
pub fn photo() -> Vec<u8> {
    [&picture([0, 0, 250, 255])[..], b"HOPE-CAMERA-4711"].concat()
}

async fn put(app: &TestApp, token: &str, bytes: &[u8]) -> Response {
    let request = app.http.request(Method::PUT, format!("{}/api/v1/me/photo", app.url)).bearer_auth(token);
    let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    request.body(form("Ada of Ward 7.png", bytes, "")).send().await.unwrap()
}

/// The id of a member's new photo.
pub async fn set(app: &TestApp, person: &Person, bytes: &[u8]) -> String {
    let (status, kept) = answered(put(app, &person.token, bytes).await).await;
    assert_eq!(status, 201, "{kept}");
    kept["id"].as_str().unwrap().to_owned()
}

/// What somebody is shown of a member's photo.
async fn shown(app: &TestApp, to: &Person, of: &Person) -> Json {
    let query =
        "query($id: ID!) { node(id: $id) { ... on Member { photo { id name mediaType width height } } } }";
    let answer = app.graphql(&to.token, query, json!({ "id": of.id })).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["node"]["photo"].clone()
}

async fn to_whom(app: &TestApp, person: &Person, audience: &str, version: i64) {
    let input = json!({ "expectedVersion": version, "visibility": { "photo": audience } });
    let changed = app.mutate(person, "updateProfile", &input, "").await;
    assert_eq!(changed["userErrors"], json!([]), "{changed}");
}

on_both_stores! {
    async fn a_photo_is_made_anew_square_and_small(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        assert_eq!(shown(app, &grace, &ada).await, Json::Null);
        let id = set(app, &ada, &photo()).await;
        let is = json!({ "id": id, "name": "photo.jpg", "mediaType": "image/jpeg", "width": 512, "height": 512 });
        assert_eq!(shown(app, &grace, &ada).await, is);
        let got = get(app, &grace, &id).await;
        for (header, value) in [("content-type", "image/jpeg"), ("x-content-type-options", "nosniff"), ("content-security-policy", "sandbox; default-src 'none'"), ("cross-origin-resource-policy", "same-origin"), ("cache-control", "private, no-cache")] {
            assert_eq!(got.headers[header], value);
        }
        let image = image::load_from_memory_with_format(&got.bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!(image.dimensions(), (512, 512));
        for (x, y) in [(4, 4), (256, 256), (507, 507)] {
            let [red, _, blue, _] = image.get_pixel(x, y).0;
            assert!(red < 20 && blue > 230, "the middle of it");
        }
        assert!(!got.bytes.windows(11).any(|part| part == b"HOPE-CAMERA"));
        assert_eq!(app.http.get(format!("{}/api/v1/attachments/{id}", app.url)).send().await.unwrap().status(), 401);

        let clear = set(app, &ada, &picture([0, 0, 0, 0])).await;
        let image = image::load_from_memory(&get(app, &grace, &clear).await.bytes).unwrap();
        assert!(image.get_pixel(256, 256).0.iter().all(|part| *part > 250), "what was clear is white");
    }

    async fn the_photo_before_it_goes(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let first = set(app, &ada, &photo()).await;
        let second = set(app, &ada, &photo()).await;
        assert_eq!(get(app, &ada, &first).await.status, 404);
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!((blobs(app), stored(app).await.len()), (vec![second], 1));
        // Twenty at once: whichever wins, no bytes are left of the others.
        let bytes = photo();
        let answers = futures_util::future::join_all((0..20).map(|_| put(app, &ada.token, &bytes))).await;
        assert!(answers.iter().all(|answer| [201, 429, 503].contains(&answer.status().as_u16())));
        app.advance(chrono::TimeDelta::hours(25));
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        let ada = app.sign_in_again(&ada);
        let left = shown(app, &ada, &ada).await["id"].as_str().unwrap().to_owned();
        assert_eq!((blobs(app), stored(app).await.len()), (vec![left], 1));

        for _ in 0..2 {
            let removed = app.mutate(&ada, "removePhoto", &json!({}), "profile { photo { id } }").await;
            assert_eq!(removed, json!({ "profile": { "photo": null }, "userErrors": [] }));
        }
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!((blobs(app), stored(app).await.len()), (Vec::new(), 0));
    }

    async fn it_is_seen_by_those_to_whom_it_is_shown(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let ivy = app.colleague(&ada, "Ivy Stone").await;
        let id = set(app, &ada, &photo()).await;
        // All members see it, unless its member says otherwise: to say so is no change.
        for (version, audience, colleague, other) in [(1, "MEMBERS", true, true), (1, "ORGANISATION", true, false), (2, "NOBODY", false, false)] {
            to_whom(app, &ada, audience, version).await;
            for (person, sees_it) in [(&ada, true), (&ivy, colleague), (&grace, other)] {
                assert_eq!(sees(app, person, &id).await, sees_it, "{audience}");
                assert_eq!(shown(app, person, &ada).await["id"] == id, sees_it, "{audience}");
            }
        }
        // A photo is nothing to attach, and what is attached is no photo.
        let input = json!({ "kind": "IDEA", "title": "Look", "body": "At me.", "topicIds": ["top_volunteering"], "attachmentIds": [id] });
        let refused = app.mutate(&ada, "createPost", &input, "").await;
        assert_eq!(refused["userErrors"][0]["code"], "UNKNOWN", "{refused}");
        // Who has not joined yet is not there to be seen.
        to_whom(app, &ada, "MEMBERS", 3).await;
        app.change(&ada, |member| member.standing.ask(member.created_at)).await;
        assert!(!sees(app, &grace, &id).await);
    }

    async fn nothing_but_a_picture_is_one(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for (bytes, status) in [(&b""[..], 422), (PDF, 415), (b"<svg onload=alert(1)>", 415), (&photo()[..900], 422), (&vec![0; 10 * 1024 * 1024 + 1], 413)] {
            assert_eq!(answered(put(app, &ada.token, bytes).await).await.0, status);
        }
        assert_eq!((blobs(app), stored(app).await.len()), (Vec::new(), 0));
        assert_eq!(put(app, "", &photo()).await.status(), 401);
        let reader = app.token(&ada, &[hope_exchange::domain::permission::Scope::AccountRead]).await;
        assert_eq!(put(app, &reader.token, &photo()).await.status(), 403);
    }

    async fn a_moderator_takes_it_away_and_says_why(app: &TestApp) {
        let (ada, mary) = (app.person("Ada Moore").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let id = set(app, &ada, &photo()).await;
        let input = json!({ "memberId": ada.id, "reason": "It shows a ward." });
        assert_eq!(app.mutate(&ada, "removeMemberPhoto", &input, "").await, "FORBIDDEN");
        for _ in 0..2 {
            let removed = app.mutate(&mary, "removeMemberPhoto", &input, "member { photo { id } }").await;
            assert_eq!(removed, json!({ "member": { "photo": null }, "userErrors": [] }));
        }
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(blobs(app), [] as [&str; 0]);
        let entries: Vec<AuditEntry> = all(&app.app.store).await;
        let entries: Vec<_> = entries.iter().map(|entry| (entry.subject.as_str(), entry.about.as_deref(), entry.reason.as_deref())).collect();
        assert_eq!(entries, [(&*ada.id, Some(&*id), Some("It shows a ward."))], "once, and nothing of the picture");
        let told = app.graphql(&ada.token, "{ viewer { notifications(first: 1) { nodes { text } } } }", json!({})).await;
        assert!(told.to_string().contains("A moderator removed your photo"), "{told}");
    }
}
