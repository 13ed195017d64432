//! How REST says no: problem documents with stable codes, in sentences that repeat nothing.

use super::*;
use crate::app::On;

const JSON: Option<&str> = Some("application/json");

async fn send(app: &TestApp, method: &str, path: &str, kind: Option<&str>, body: &str) -> (u16, Json) {
    let mut request = app.http.request(method.parse().unwrap(), format!("{}{path}", app.url));
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let response = request.body(body.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{path} {body}");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Json = response.json().await.unwrap();
    assert_eq!(problem["requestId"], id);
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].as_str().unwrap().ends_with('.'), "{problem}");
    assert!(!problem.to_string().contains("BCDF2345"), "a value is repeated: {problem}");
    (status, problem)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_goes_wrong_is_a_problem_document() {
    let large = format!("{{\"email\": \"{}\"}}", "a".repeat(70_000));
    let sign_in = "/api/v1/auth/sign-in";
    TestApp::run(On::Sqlite, async |app| {
        for (method, path, kind, body, status, code) in [
            ("POST", sign_in, JSON, "{\"email\": BCDF2345", 400, "BAD_REQUEST"),
            ("POST", sign_in, JSON, "", 400, "BAD_REQUEST"),
            ("POST", sign_in, None, "", 400, "BAD_REQUEST"),
            ("POST", sign_in, JSON, "[]", 400, "BAD_REQUEST"),
            ("POST", sign_in, JSON, "null", 400, "BAD_REQUEST"),
            ("POST", sign_in, JSON, "\u{0}", 400, "BAD_REQUEST"),
            ("POST", sign_in, JSON, "{\"email\": \"a@nhs.net\", \"BCDF2345\": 1}", 400, "BAD_REQUEST"),
            ("POST", sign_in, JSON, "{}", 422, "REQUIRED"),
            ("POST", sign_in, JSON, "{\"email\": \" \"}", 422, "REQUIRED"),
            ("POST", sign_in, JSON, "{\"email\": {\"$ne\": \"BCDF2345\"}}", 422, "INVALID"),
            ("POST", sign_in, JSON, "{\"email\": \"a@nhs.net\\r\\nBcc: b@evil.com\"}", 422, "INVALID"),
            ("POST", sign_in, JSON, &large, 413, "TOO_LARGE"),
            (
                "POST",
                sign_in,
                Some("text/plain"),
                "{\"email\": \"a@nhs.net\"}",
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            ("POST", sign_in, None, "{\"email\": \"a@nhs.net\"}", 415, "UNSUPPORTED_MEDIA_TYPE"),
            ("GET", sign_in, None, "", 405, "METHOD_NOT_ALLOWED"),
            ("DELETE", sign_in, None, "", 405, "METHOD_NOT_ALLOWED"),
            ("GET", "/api/v1/nothing", None, "", 404, "NOT_FOUND"),
            ("GET", "/api/nothing", None, "", 404, "NOT_FOUND"),
            ("GET", "/nothing", None, "", 404, "NOT_FOUND"),
            ("POST", "/health/live", None, "", 405, "METHOD_NOT_ALLOWED"),
            (
                "POST",
                "/api/v1/auth/verify",
                JSON,
                "{\"email\": \"a@nhs.net\", \"code\": \"\"}",
                422,
                "REQUIRED",
            ),
            (
                "POST",
                "/api/v1/auth/verify",
                JSON,
                "{\"email\": \"a\", \"code\": \"BCDF2345\"}",
                422,
                "INVALID",
            ),
            (
                "POST",
                "/api/v1/auth/verify",
                JSON,
                "{\"email\": \"a@nhs.net\", \"code\": \"BCDF2345\"}",
                401,
                "WRONG_CODE",
            ),
            (
                "POST",
                "/api/v1/auth/refresh",
                JSON,
                "{\"refreshToken\": \"BCDF2345\"}",
                401,
                "UNAUTHENTICATED",
            ),
        ] {
            let (found, problem) = send(app, method, path, kind, body).await;
            assert_eq!((found, problem["code"].as_str()), (status, Some(code)), "{path} {kind:?} {body}");
        }
        assert!(mails(app).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_address_is_told_by_field() {
    TestApp::run(On::Sqlite, async |app| {
        let (status, problem) =
            send(app, "POST", "/api/v1/auth/sign-in", JSON, "{\"email\": \"nobody\"}").await;
        assert_eq!(status, 422);
        let message = "Enter an e-mail address like name@trust.nhs.uk.";
        let errors = json!([{ "field": "email", "code": "INVALID", "message": message }]);
        assert_eq!((&problem["errors"], problem["detail"].as_str()), (&errors, Some(message)));
        assert_eq!(
            (&problem["type"], &problem["title"]),
            (&json!("about:blank"), &json!("Unprocessable Entity"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_is_not_taken_is_answered_with_those_that_are() {
    TestApp::run(On::Sqlite, async |app| {
        for (path, methods) in
            [("/api/v1/auth/verify", "POST"), ("/health/live", "GET, HEAD"), ("/api/docs", "GET, HEAD")]
        {
            let response = app.http.put(format!("{}{path}", app.url)).send().await.unwrap();
            assert_eq!(
                (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
                (405, methods)
            );
        }
        let page = app
            .http
            .get(format!("{}/nothing", app.url))
            .header("accept", "text/html,*/*")
            .send()
            .await
            .unwrap();
        assert_eq!(
            (page.status().as_u16(), &page.headers()["content-type"]),
            (404, &"text/html; charset=utf-8".parse().unwrap())
        );
        assert!(page.text().await.unwrap().contains("Page not found"));
    })
    .await;
}

on_both_stores! {
    async fn the_specification_the_page_and_health_are_there(app: &TestApp) {
        let get = async |path: &str| app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
        let spec: Json = get("/api/openapi.json").await.json().await.unwrap();
        for path in ["sign-in", "verify", "refresh", "sign-out"] {
            let operation = &spec["paths"][format!("/v1/auth/{path}")]["post"];
            let refused = &operation["responses"]["422"]["content"]["application/problem+json"]["schema"];
            assert!(refused["$ref"].is_string(), "{path}: {operation}");
        }
        let page = get("/api/docs").await;
        assert_eq!(page.status(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(get(path).await.status(), 200);
        }
    }
}
