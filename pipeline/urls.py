"""URLs: what makes two addresses the same article. Normalisation is idempotent and never merges by guessing."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote_plus, urljoin, urlsplit, urlunsplit

from tld import get_fld

MAX_URL = 2_000
SAFE = "/%:@!$&'()*+,;=~-._"
# Only parameters that no site uses to choose an article: `id`, `ref`, `source`, `cid` can be the article itself.
TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_cid|mc_eid|_ga|_gl|_hs(enc|mi)|"
    r"at_(medium|campaign|custom\d|link_\w+|ptr_name|bbc_team|format)|ns_(mchannel|source|campaign|linkname)|"
    r"xtor|cmpid|ocid|smid|spm|wt_mc|wt_zmc|s_cid|mkt_tok|oly_(anon|enc)_id|vero_id|guccounter|guce_\w+|__twitter_impression|amp_js_v|amp_gsa|usqp)$",
    re.IGNORECASE,
)


# What one owner alone uses so: other sites may choose an article by the same name.
OWN_TRACKING = {
    "dw.com": frozenset({"maca"}),
    "elpais.com": frozenset({"ssm"}),
    "ft.com": frozenset({"ftcamp"}),
    "nikkei.com": frozenset({"n_cid"}),
    "nytimes.com": frozenset({"emc", "partner"}),
    "theguardian.com": frozenset({"cmp"}),
    "washingtonpost.com": frozenset({"itid", "wprss"}),
}
# Copies that caches of AMP pages keep under their own name: /c/s/www.example.com/a is https://www.example.com/a.
AMP_CACHE = re.compile(r"/(?:amp|[acv])/(s/)?([^/]+\.[^/]+)(/.*)?")


def normalise_url(url: str, base: str = "") -> str:
    """Return the normalised http(s) URL, or raise ValueError saying why there is none.

    Scheme and host in lower case and IDNA, no default port, fragment, credentials or tracking parameters; other
    parameters keep their order and spelling. A copy in a cache of AMP pages has the address of its original.
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
    netloc = _netloc(parts)
    if original := _of_amp_cache(netloc, parts):
        return normalise_url(original)
    path = quote(parts.path or "/", safe=SAFE)
    url = urlunsplit(SplitResult(parts.scheme, netloc, path, _query(parts.query, netloc), ""))
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


def _of_amp_cache(host: str, parts: SplitResult) -> str | None:
    if not (host.endswith(".cdn.ampproject.org") or (host == "www.google.com" and parts.path.startswith("/amp/"))):
        return None
    found = AMP_CACHE.fullmatch(parts.path)
    if found is None:
        return None
    safe, original, path = found.groups()
    return urlunsplit(SplitResult("https" if safe else "http", original, path or "/", parts.query, ""))


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


def _query(query: str, host: str) -> str:
    """Drop tracking parameters and leave the others as they are spelt: some servers want their own spelling."""
    own = next((names for owner, names in OWN_TRACKING.items() if f".{host}".endswith(f".{owner}")), frozenset())
    kept = []
    for part in query.split("&"):
        name = unquote_plus(part.split("=", 1)[0])
        if not TRACKING.match(name) and name.lower() not in own:
            kept.append(part)
    return quote("&".join(kept), safe=SAFE + "?")


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
