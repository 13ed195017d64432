//! An authenticator made of software, as a browser and a device are together: it makes passkeys (ES256) and
//! signs with them, and can be told to do it wrongly.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value as Json, json};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 4;
const NEW_CREDENTIAL: u8 = 64;

pub struct Authenticator {
    key: EcdsaKeyPair,
    pub id: Vec<u8>,
    /// How often it signed; 0 for devices that don't count.
    pub counter: u32,
    /// What the browser says that the page is.
    pub origin: String,
    /// For whom it signs.
    pub rp: String,
    /// Whether it says that it looked who holds it.
    pub verifies: bool,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).unwrap();
        let id = digest(&SHA256, key.public_key().as_ref()).as_ref().to_vec();
        Self { key, id, counter: 1, origin: origin.to_owned(), rp: "localhost".to_owned(), verifies: true }
    }

    /// The answer to `navigator.credentials.create`.
    pub fn create(&self, public_key: &Json) -> String {
        let client = self.client("webauthn.create", public_key);
        let mut data = self.data(NEW_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // An uncompressed point: 4, x, y.
        let point = self.key.public_key().as_ref();
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}: EC2, ES256, P-256 (RFC 9053).
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3];
        object.extend(b"\x63fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let response =
            json!({ "attestationObject": BASE64.encode(object), "clientDataJSON": BASE64.encode(client) });
        self.answer(response)
    }

    /// The answer to `navigator.credentials.get`.
    pub fn get(&mut self, public_key: &Json) -> String {
        if self.counter > 0 {
            self.counter += 1;
        }
        let client = self.client("webauthn.get", public_key);
        let data = self.data(0);
        let signed = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "authenticatorData": BASE64.encode(data),
            "clientDataJSON": BASE64.encode(client),
            "signature": BASE64.encode(signature),
            "userHandle": null,
        });
        self.answer(response)
    }

    fn client(&self, kind: &str, public_key: &Json) -> String {
        json!({ "type": kind, "challenge": public_key["challenge"], "origin": self.origin, "crossOrigin": false })
            .to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let mut data = digest(&SHA256, self.rp.as_bytes()).as_ref().to_vec();
        data.push(USER_PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn answer(&self, response: Json) -> String {
        let id = BASE64.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
            .to_string()
    }
}
