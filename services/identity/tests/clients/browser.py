"""A browser without a screen: it follows redirects, keeps cookies and fills in forms."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Form(HTMLParser):
    """The one form of a page."""

    def __init__(self, page):
        super().__init__()
        self.action = None
        self.fields = {}
        self.names = set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        if tag in ("input", "button") and "name" in attributes:
            self.names.add(attributes["name"])
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes["value"]


class Browser:
    def __init__(self):
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, url):
        return self.session.get(url)

    def submit(self, page, **more):
        form = Form(page.text)
        assert form.action, page.text
        return self.session.post(urljoin(page.url, form.action), data={**form.fields, **more})

    def log_in(self, page, email, password):
        """From the login page to where the application sends the browser in the end."""
        names = Form(page.text).names
        assert {"email", "password", "csrf"} <= names, page.text
        page = self.submit(page, email=email, password=password)
        assert page.status_code == 200, (page.status_code, page.text)
        if "decision" in Form(page.text).names:
            page = self.submit(page, decision="allow")
        return page
