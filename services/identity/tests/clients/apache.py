"""Logs in through Apache with Debian's mod_auth_openidc in front of a page.

Usage: apache.py ISSUER. Prints every secret that it was given, one a line, for the test to look for in the log.
"""

import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time

from account import PASSWORD, Account
from browser import Browser

CONFIGURATION = """
ServerRoot {root}
ServerName 127.0.0.1
PidFile {root}/pid
ErrorLog {root}/error.log
Listen 127.0.0.1:{port}
Mutex file:{root} default
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
DocumentRoot {root}/pages
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRedirectURI {base}/secure/redirect
OIDCCryptoPassphrase {passphrase}
OIDCPKCEMethod S256
OIDCScope "openid email"
OIDCRemoteUserClaim email
<Location /secure>
  AuthType openid-connect
  Require claim email:{email}
</Location>
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("Apache does not listen")


def main(issuer):
    account = Account(issuer)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    client = account.application(
        redirect_uris=[f"{base}/secure/redirect"], post_logout_redirect_uris=[f"{base}/"], allowed_scopes=["openid", "email"]
    )
    with tempfile.TemporaryDirectory() as root:
        page = pathlib.Path(root, "pages", "secure", "page")
        page.parent.mkdir(parents=True)
        page.write_text("for those who are logged in")
        for folder in pathlib.Path(root), pathlib.Path(root, "pages"), page.parent:
            folder.chmod(0o755)
        configuration = pathlib.Path(root, "apache.conf")
        passphrase = secrets.token_hex(16)
        given = {key: client[key] for key in ("client_id", "client_secret")}
        places = {"root": root, "port": port, "base": base, "issuer": issuer, "modules": "/usr/lib/apache2/modules"}
        configuration.write_text(CONFIGURATION.format(email=account.email, passphrase=passphrase, **given, **places))
        apache = subprocess.Popen(["/usr/sbin/apache2", "-X", "-f", str(configuration)])
        try:
            wait_for(port)
            browser = Browser()
            answer = browser.log_in(browser.get(f"{base}/secure/page"), account.email, PASSWORD)
            log = pathlib.Path(root, "error.log").read_text()
            assert answer.text == "for those who are logged in", (answer.url, answer.text, log)
            # The module asks the provider to log out, and the user says yes.
            page = browser.get(f"{base}/secure/redirect?logout={base}/")
            assert page.url.startswith(f"{base}/") or "/oauth2/logout" in page.url, page.url
            again = browser.get(f"{base}/secure/page")
            assert again.url.startswith(f"{issuer}/oauth2/authorize"), again.url
        finally:
            apache.terminate()
            apache.wait()
    given = [PASSWORD, client["client_secret"], account.tokens["access_token"], account.tokens["refresh_token"]]
    given += [cookie.value for cookie in browser.session.cookies if cookie.name.startswith("bz_")]
    print("\n".join(given + [passphrase]))


if __name__ == "__main__":
    main(sys.argv[1])
