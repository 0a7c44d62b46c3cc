"""Which URLs a webhook may go to."""

import pytest

from rymi_server.webhooks.errors import UnsafeTarget
from rymi_server.webhooks.targets import refuse_unsafe

PUBLIC = [
    "https://example.com",
    "https://example.com/rymi?a=b#c",
    "https://hooks.example.com.:8443/",
    "https://EXAMPLE.COM/rymi",
    "https://xn--bcher-kva.example/",
    "https://my_service.example.com/",
    "https://93.184.216.34/",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/",
    "https://example.com/a%20b/@user",
    "https://localhost.example.com/",
]
PLAIN = ["http://example.com/"]
PRIVATE = [
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://api.localhost/",
    "https://intranet/",
    "https://printer.local/",
    "https://db.internal/",
    "https://nas.home.arpa/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.8.9.10:8443/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://192.0.2.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[64:ff9b:1::1]/",
    "https://[5f00::1]/",
    "https://[3fff::1]/",
    "https://[2001:db8::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://2130706433/",
    "https://127.1/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://1.2.3.0x4/",
    "https://example.0x7f/",
]
BROKEN = [
    "",
    "example.com",
    "//example.com/",
    "https:///rymi",
    "https://",
    "https:example.com",
    "ftp://example.com/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://:@example.com/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:port/",
    "https://exa mple.com/",
    "https://example.com/a b",
    "https://example.com/\n",
    "https://example.com\\@127.0.0.1/",
    "https://exam%70le.com/",
    "https://b\u00fccher.example/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://example..com/",
    "https://.example.com/",
    "https://-example.com/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://[example.com]/",
]


class TestATarget:
    @pytest.mark.parametrize("url", PUBLIC)
    def test_may_be_public_https(self, url: str) -> None:
        refuse_unsafe(url, allow_private=False)

    @pytest.mark.parametrize("url", PRIVATE + PLAIN + BROKEN)
    def test_may_be_nothing_else(self, url: str) -> None:
        with pytest.raises(UnsafeTarget):
            refuse_unsafe(url, allow_private=False)

    @pytest.mark.parametrize("url", [*PLAIN, "http://localhost:9000/hook", "http://127.0.0.1/", "https://intranet/"])
    def test_may_be_private_where_the_operator_allows_it(self, url: str) -> None:
        refuse_unsafe(url, allow_private=True)

    @pytest.mark.parametrize("url", BROKEN)
    def test_may_never_be_broken_or_carry_credentials(self, url: str) -> None:
        with pytest.raises(UnsafeTarget):
            refuse_unsafe(url, allow_private=True)
