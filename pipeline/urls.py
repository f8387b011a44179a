"""URLs: what makes two addresses the same article. Normalisation is idempotent and never merges by guessing."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from tld import get_fld

MAX_URL = 2_000
# Only parameters that no site uses to choose an article: `id`, `ref`, `source`, `cid` can be the article itself.
TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_cid|mc_eid|_ga|_gl|_hs(enc|mi)|"
    r"at_(medium|campaign|custom\d|link_\w+|ptr_name|bbc_team|format)|ns_(mchannel|source|campaign|linkname)|"
    r"xtor|cmpid|ocid|smid|spm|wt_mc|wt_zmc|s_cid|mkt_tok|oly_(anon|enc)_id|vero_id|guccounter|guce_\w+|__twitter_impression)$",
    re.IGNORECASE,
)


def normalise_url(url: str, base: str = "") -> str:
    """Return the normalised http(s) URL, or raise ValueError saying why there is none.

    Scheme and host in lower case and IDNA, no default port, fragment, credentials or tracking parameters; other
    parameters keep their order.
    """
    if not url.strip():
        raise ValueError("no address")
    joined = urljoin(base, url.strip()) if base else url.strip()
    if len(joined) > MAX_URL:
        raise ValueError(f"longer than {MAX_URL} characters")
    parts = urlsplit(joined)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"not a web address: scheme {parts.scheme or 'missing'}")
    if not parts.hostname:
        raise ValueError("no host")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    url = urlunsplit(SplitResult(parts.scheme, _netloc(parts), path, _query(parts.query), ""))
    if len(url) > MAX_URL:  # quoted, a character is up to twelve
        raise ValueError(f"longer than {MAX_URL} characters")
    return url


def redirect_target(url: str, location: str) -> str:
    """Return where a redirect leads, without fragment and credentials; ValueError where that is no web address."""
    if not location.strip():
        raise ValueError("a redirect to nowhere")
    target = urljoin(url, location.strip())
    normalise_url(target)
    parts = urlsplit(target)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _netloc(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as error:
            raise ValueError(f"host is no domain name: {error}") from error
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}[parts.scheme]
    return host if parts.port in (None, default) else f"{host}:{parts.port}"


def _query(query: str) -> str:
    if not any(TRACKING.match(part.split("=", 1)[0]) for part in query.split("&")):
        return quote(query, safe="/%:@!$&'()*+,;=~-._?")  # untouched: some servers want their own spelling
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=200)
    return urlencode([(name, value) for name, value in pairs if not TRACKING.match(name)])


def registrable_domain(url: str) -> str:
    """Return the owner's domain by the public suffix list; host and port where the host is a number or a bare name."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        found = get_fld(url, fail_silently=True, search_private=True)
        return str(found) if found else parts.netloc.lower()
    return parts.netloc.lower()


def same_owner(one: str, other: str) -> bool:
    """Whether a page at `one` may name `other` as its canonical address."""
    return registrable_domain(one) == registrable_domain(other)
