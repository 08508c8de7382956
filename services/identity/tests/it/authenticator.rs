//! An authenticator in software: makes passkeys and signs with them, byte by byte as WebAuthn says (level 3, sections
//! 6.1 and 6.5), so that the service verifies what a browser would send.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// One passkey, and the device that keeps it.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user_handle: String,
    counter: u32,
    /// The page that the browser is on.
    pub(crate) origin: String,
    /// Whether the device checks who holds it.
    pub(crate) verifies_user: bool,
}

impl Authenticator {
    /// Makes a passkey for the options of a registration; answers it and what the browser sends.
    pub(crate) fn create(options: &Value, id: &[u8]) -> (Self, Value) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let options = &options["publicKey"];
        let device = Self {
            key,
            id: id.to_vec(),
            user_handle: options["user"]["id"].as_str().unwrap().to_owned(),
            counter: 0,
            origin: "http://localhost:3000".to_owned(),
            verifies_user: true,
        };
        let client_data = device.client_data("webauthn.create", &options["challenge"]);
        let rp_id = options["rp"]["id"].as_str().unwrap();
        let data = [device.data(rp_id, ATTESTED), device.attested()].concat();
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        let answer = json!({
            "id": B64.encode(id), "rawId": B64.encode(id), "type": "public-key",
            "response": {
                "clientDataJSON": B64.encode(client_data), "attestationObject": B64.encode(object),
            },
        });
        (device, answer)
    }

    /// Signs for the options of a login; answers what the browser sends.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        self.get_again(options)
    }

    /// The same with the counter where it was, as a copy of the device would.
    pub(crate) fn get_again(&self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let signed = [data.as_slice(), sha256(&client_data).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": B64.encode(&self.id), "rawId": B64.encode(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": B64.encode(client_data), "authenticatorData": B64.encode(data),
                "signature": B64.encode(signature.as_ref()), "userHandle": self.user_handle,
            },
        })
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }

    fn data(&self, rp_id: &str, flags: u8) -> Vec<u8> {
        let verified = if self.verifies_user { USER_VERIFIED } else { 0 };
        let mut data = sha256(rp_id.as_bytes()).as_ref().to_vec();
        data.push(USER_PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// No model, the credential's id, and the public key as COSE has it.
    fn attested(&self) -> Vec<u8> {
        let point = self.key.public_key();
        let (x, y) = point.as_ref()[1..].split_at(32);
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        [
            &[0; 16][..],
            &length,
            &self.id,
            b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20",
            x,
            b"\x22\x58\x20",
            y,
        ]
        .concat()
    }
}

fn sha256(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}
