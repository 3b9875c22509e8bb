# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluator's truth table: one line a case, with the reason why Windows decides so.

A rule is `[store:]Action|key=value|…`; Active=TRUE and Dir=Out are added unless it says otherwise; ids are r0, r1, … An
expectation is `outcome reason [rule] [?key …] [>otherwise]`. Settings: `[store.]name=value`, the profile is private.
"""

from __future__ import annotations

import dataclasses

PUBLIC = "212.174.1.10"
PUBLIC6 = "2a01:358::10"
LAN = "192.168.1.20"
EDEFTER = r"C:\Mikro\e-Defter\edefter.exe"


@dataclasses.dataclass(frozen=True)
class Case:
    """One line of the table."""

    expect: str
    why: str
    rules: tuple[str, ...]
    to: str = PUBLIC
    port: int = 443
    udp: bool = False
    who: str = "desktop"
    settings: str = ""
    profile: str = "private"
    complete: bool = True


def c(expect: str, why: str, *rules: str, **more: object) -> Case:
    return Case(expect, why, rules, **more)  # type: ignore[arg-type]


OUT = "out=1"
VOID = "out=1 gpo.merge=0"
A443, B443 = "Allow|Protocol=6|RPort=443", "Block|Protocol=6|RPort=443"

DEFAULTS = [
    c("allowed default_allow", "Windows allows outbound unless told otherwise"),
    c("allowed default_allow", "an explicit 0 is allow in the registry", settings="out=0"),
    c("blocked default_block", "an explicit 1 is block in the registry (COM has it the other way)", settings=OUT),
    c("blocked default_block", "policy blocks, the machine's own allow does not count", settings="out=0 gpo.out=1"),
    c("allowed default_allow", "policy allows, the machine's own block does not count", settings="out=1 gpo.out=0"),
    c("blocked default_block", "MDM is policy too", settings="mdm.out=1"),
    c("allowed default_allow", "MDM allows over a local block", settings="out=1 mdm.out=0"),
    c("unknown settings", "Group Policy and MDM contradict each other", settings="gpo.out=1 mdm.out=0"),
    c("blocked default_block", "Group Policy and MDM agree", settings="gpo.out=1 mdm.out=1"),
    c("unknown settings", "2 is no action", settings="out=2"),
    c("unknown settings", "a value that is not a number", settings="out=-1"),
    c("unknown settings", "policy's own value unreadable: the local one is no stand-in", settings="out=0 gpo.out=-1"),
    c("allowed off", "a profile that is off lets everything out", B443, settings="enable=0"),
    c("allowed off", "off by policy beats on by the machine", B443, settings="enable=1 gpo.enable=0"),
    c("blocked block_rule r0", "on by policy beats off by the machine", B443, settings="enable=0 gpo.enable=1"),
    c("unknown settings", "whether it is on is unreadable", settings="enable=-1"),
    c("unknown settings", "on or off, policy and MDM differ", settings="gpo.enable=1 mdm.enable=0"),
    c("blocked default_block", "StandardProfile of Group Policy feeds private", settings="gpo/standard.out=1"),
    c("blocked default_block", "StandardProfile feeds public too", settings="gpo/standard.out=1", profile="public"),
    c("allowed default_allow", "StandardProfile never feeds domain", settings="gpo/standard.out=1", profile="domain"),
    c(
        "allowed default_allow",
        "StandardProfile is ignored once PrivateProfile exists",
        settings="gpo/standard.out=1 gpo/private.enable=1",
    ),
    c(
        "allowed default_allow",
        "StandardProfile is ignored for private once PublicProfile exists",
        settings="gpo/standard.out=1 gpo/public.enable=1",
    ),
    c("allowed default_allow", "another profile's default", settings="local/domain.out=1"),
    c("blocked default_block", "the domain profile's own default", settings="local/domain.out=1", profile="domain"),
    c("blocked default_block", "DoNotAllowExceptions is about inbound", settings="out=1 no_exceptions=1"),
    c("allowed default_allow", "the inbound default is about inbound", settings="inbound=1"),
]

PRECEDENCE = [
    c("blocked block_rule r0", "a block that matches", B443),
    c("allowed allow_rule r0", "an allow under a default block", A443, settings=OUT),
    c("allowed allow_rule r0", "an allow under a default allow is insurance", A443),
    c("blocked block_rule r0", "block over allow", B443, A443),
    c("blocked block_rule r1", "block over allow in the other order", A443, B443),
    c("blocked block_rule r1", "block over allow under a default block", A443, B443, settings=OUT),
    c("blocked block_rule r0", "a broad block beats a specific allow", "Block", f"{A443}|RA4={PUBLIC}"),
    c("blocked block_rule r1", "a specific block beats a broad allow", "Allow", f"{B443}|RA4={PUBLIC}"),
    c("blocked block_rule r0", "Group Policy's allow does not outrank a local block", B443, f"gpo:{A443}"),
    c("blocked block_rule r0", "nor does MDM's", B443, f"mdm:{A443}"),
    c("blocked block_rule r0", "a policy block beats a local allow", f"gpo:{B443}", A443),
    c("blocked block_rule r1", "of two blocks policy's is named first", B443, f"gpo:{B443}"),
    c("blocked block_rule r0", "then by id", B443, B443),
    c("allowed bypass_rule r1", "bypass beats block", B443, "ByPass|Protocol=6|RPort=443"),
    c("allowed bypass_rule r0", "bypass beats a default block", "ByPass", settings=OUT),
    c(
        "conditional bypass_if r1 ?RMAuth >blocked",
        "a bypass for authenticated machines only",
        B443,
        "ByPass|RMAuth=O:LSD:(A;;CC;;;S-1-5-11)",
    ),
    c("allowed default_allow", "an inbound block", f"{B443}|Dir=In"),
    c("blocked default_block", "an inbound allow opens nothing outbound", f"{A443}|Dir=In", settings=OUT),
    c("allowed default_allow", "a disabled block", f"{B443}|Active=FALSE"),
    c("blocked default_block", "a disabled allow", f"{A443}|Active=FALSE", settings=OUT),
    c("allowed default_allow", "a rule without Active is not active", f"{B443}|-Active"),
    c("blocked block_rule r0", "true in any case", f"{B443}|Active=true"),
    c("blocked block_rule r0", "actions in any case", "BLOCK|protocol=6|rport=443|DIR=out|ACTIVE=True"),
    c("blocked block_rule r0", "a block under a default block is the block that is named", B443, settings=OUT),
]

MERGE = [
    c("blocked default_block", "policy makes local rules void", A443, settings=VOID),
    c("allowed default_allow", "and local blocks with them", B443, settings="gpo.merge=0"),
    c("allowed allow_rule r0", "policy's own rules stay", f"gpo:{A443}", settings=VOID),
    c("allowed allow_rule r0", "so do MDM's", f"mdm:{A443}", settings=VOID),
    c("blocked block_rule r1", "a policy block stays", A443, f"gpo:{B443}", settings="gpo.merge=0"),
    c("allowed allow_rule r0", "a local copy of the value means nothing", A443, settings="out=1 merge=0"),
    c("allowed allow_rule r0", "merge 1 is merge", A443, settings="out=1 gpo.merge=1"),
    c("blocked default_block", "MDM can forbid too", A443, settings="out=1 mdm.merge=0"),
    c(
        "unknown settings",
        "Group Policy and MDM differ about merge, and it matters",
        A443,
        settings="out=1 gpo.merge=0 mdm.merge=1",
    ),
    c("allowed default_allow", "they differ, and it does not matter", settings="gpo.merge=0 mdm.merge=1"),
    c("blocked block_rule r0", "they differ, policy blocks anyway", f"gpo:{B443}", settings="gpo.merge=0 mdm.merge=1"),
    c("allowed allow_rule r0", "merge off for public only", A443, settings="out=1 gpo/public.merge=0"),
    c(
        "blocked default_block",
        "merge off for public only, seen from public",
        A443,
        settings="local/public.out=1 gpo/public.merge=0",
        profile="public",
    ),
    c("unknown settings", "a merge value that is no number", A443, settings="out=1 gpo.merge=-1"),
]

PROFILES = [
    c("blocked block_rule r0", "no Profile means all", B443),
    c("blocked block_rule r0", "the rule names this profile", f"{B443}|Profile=Private"),
    c("allowed default_allow", "the rule names another profile", f"{B443}|Profile=Public"),
    c("blocked block_rule r0", "one of several", f"{B443}|Profile=Domain|Profile=Private"),
    c("allowed default_allow", "none of several", f"{B443}|Profile=Domain|Profile=Public"),
    c("blocked block_rule r0", "all three by name", f"{B443}|Profile=Domain|Profile=Private|Profile=Public"),
    c("blocked default_block", "an allow for another profile", f"{A443}|Profile=Public", settings=OUT),
    c(
        "allowed allow_rule r0",
        "from public",
        f"{A443}|Profile=Public",
        settings="local/public.out=1",
        profile="public",
    ),
    c("blocked block_rule r0", "profile names in any case", f"{B443}|Profile=PRIVATE"),
    c("conditional block_if r0 ?value:Profile >allowed", "a profile that nobody knows", f"{B443}|Profile=Guest"),
]

PORTS = [
    c("allowed default_allow", "another port", "Block|Protocol=6|RPort=4443"),
    c("blocked block_rule r0", "4443", "Block|Protocol=6|RPort=4443", port=4443),
    c("blocked block_rule r0", "one of several", "Block|Protocol=6|RPort=80|RPort=443"),
    c("allowed default_allow", "none of several", "Block|Protocol=6|RPort=80|RPort=8080"),
    c("blocked block_rule r0", "in a range", "Block|Protocol=6|RPort2_10=400-500"),
    c("blocked block_rule r0", "the range's first", "Block|Protocol=6|RPort2_10=443-500"),
    c("blocked block_rule r0", "the range's last", "Block|Protocol=6|RPort2_10=1-443"),
    c("allowed default_allow", "just outside", "Block|Protocol=6|RPort2_10=444-1000"),
    c(
        "allowed default_allow",
        "the hole in a hardening tool's list",
        "Block|Protocol=6|RPort2_10=82-442|RPort2_10=444-1000",
    ),
    c("blocked block_rule r0", "number and range mixed", "Block|Protocol=6|RPort=80|RPort2_10=440-450"),
    c("blocked block_rule r0", "a star, as rules of Windows itself have it", "Block|Protocol=6|LPort=*|RPort=443"),
    c("allowed default_allow", "UDP 443 is not TCP 443", "Block|Protocol=17|RPort=443"),
    c("blocked block_rule r0", "no protocol means any", "Block"),
    c("blocked block_rule r0", "protocol without ports", "Block|Protocol=6"),
    c("allowed default_allow", "ICMP", "Block|Protocol=1"),
    c("blocked block_rule r0", "UDP 123", "Block|Protocol=17|RPort=123", port=123, udp=True),
    c("allowed default_allow", "TCP 123 is not UDP 123", "Block|Protocol=6|RPort=123", port=123, udp=True),
    c(
        "conditional block_if r0 ?RPort >allowed",
        "IP-HTTPS: a word, not a number",
        "Block|Protocol=6|RPort2_10=IPHTTPSOut",
    ),
    c("blocked block_rule r0", "a word beside the number", "Block|Protocol=6|RPort2_10=IPHTTPSOut|RPort=443"),
    c("allowed default_allow", "a well-known source port: no client has it", "Block|Protocol=6|LPort=445"),
    c(
        "conditional block_if r0 ?LPort >allowed",
        "the source port may be in the range",
        "Block|Protocol=6|LPort2_10=49152-65535",
    ),
    c("blocked block_rule r0", "any source port there is", "Block|Protocol=6|LPort2_10=0-65535"),
    c(
        "conditional allow_if r0 ?LPort >blocked",
        "an allow for some source ports",
        "Allow|Protocol=6|LPort=50000|RPort=443",
        settings=OUT,
    ),
    c(
        "blocked block_rule r0",
        "Windows Time sends from 123",
        "Block|Protocol=17|LPort=123",
        port=123,
        udp=True,
        who="time",
    ),
    c(
        "conditional block_if r0 ?value:Port >allowed",
        "a list is not the grammar: perhaps Windows reads it",
        "Block|Protocol=6|RPort=80,443",
    ),
    c(
        "conditional block_if r0 ?value:Protocol >allowed",
        "a protocol by name is not the grammar",
        "Block|Protocol=tcp",
    ),
    c("conditional block_if r0 ?ports >allowed", "ports without a protocol", "Block|RPort=443"),
    c("allowed default_allow", "ports without a protocol, and another port", "Block|RPort=80"),
]

ADDRESSES = [
    c("blocked block_rule r0", "the address", f"{B443}|RA4={PUBLIC}"),
    c("allowed default_allow", "another address", f"{B443}|RA4=212.174.1.11"),
    c("blocked block_rule r0", "one of several", f"{B443}|RA4=1.1.1.1|RA4={PUBLIC}"),
    c("blocked block_rule r0", "in a range", f"{B443}|RA4=212.174.1.0-212.174.1.255"),
    c("allowed default_allow", "outside the range", f"{B443}|RA4=212.174.2.0-212.174.2.255"),
    c("blocked block_rule r0", "net/len", f"{B443}|RA4=212.174.0.0/16"),
    c("blocked block_rule r0", "net/mask", f"{B443}|RA4=212.174.0.0/255.255.0.0"),
    c("allowed default_allow", "outside the net", f"{B443}|RA4=10.0.0.0/8"),
    c("blocked block_rule r0", "everything", f"{B443}|RA4=0.0.0.0/0"),
    c("blocked block_rule r0", "everything as a range", f"{B443}|RA4=0.0.0.0-255.255.255.255"),
    c("allowed default_allow", "a rule of IPv6 addresses only", f"{B443}|RA6=::/0"),
    c("allowed default_allow", "a rule of IPv4 addresses only, asked for IPv6", f"{B443}|RA4=0.0.0.0/0", to=PUBLIC6),
    c("blocked block_rule r0", "IPv6 address", f"{B443}|RA6={PUBLIC6}", to=PUBLIC6),
    c("blocked block_rule r0", "IPv6 net", f"{B443}|RA6=2a01:358::/32", to=PUBLIC6),
    c("blocked block_rule r0", "IPv6 range", f"{B443}|RA6=2a01:358::-2a01:358::ff", to=PUBLIC6),
    c("blocked block_rule r0", "no address at all means both versions", B443, to=PUBLIC6),
    c(
        "blocked block_rule r0",
        "IPv4 mapped into IPv6 goes out as IPv4",
        f"{B443}|RA4={PUBLIC}",
        to=f"::ffff:{PUBLIC}",
    ),
    c("allowed default_allow", "LocalSubnet holds no public address", f"{B443}|RA4=LocalSubnet|RA6=LocalSubnet"),
    c("conditional block_if r0 ?RA >allowed", "LocalSubnet may hold a private one", f"{B443}|RA4=LocalSubnet", to=LAN),
    c("allowed default_allow", "DefaultGateway, WINS, DHCP are near", f"{B443}|RA4=DefaultGateway|RA4=WINS|RA4=DHCP"),
    c("conditional block_if r0 ?RA >allowed", "the DNS server may be a public one", f"{B443}|RA4=DNS"),
    c(
        "conditional block_if r0 ?RA >allowed",
        "IntErnet: Windows decides what that is",
        f"{B443}|RA42=IntErnet|RA62=IntErnet",
    ),
    c("conditional block_if r0 ?RA >allowed", "IntrAnet may be defined by policy", f"{B443}|RA42=IntrAnet"),
    c("allowed default_allow", "Ply2Renders are in the house", f"{B443}|RA42=Ply2Renders"),
    c("conditional allow_if r0 ?RA >blocked", "an allow for IntErnet", f"{A443}|RA42=IntErnet", settings=OUT),
    c("conditional block_if r0 ?RA >allowed", "the name was not resolved", f"{B443}|RA4={PUBLIC}", to=""),
    c("blocked block_rule r0", "not resolved, but the rule does not ask", B443, to=""),
    c("blocked default_block", "not resolved, nothing allows", to="", settings=OUT),
    c(
        "conditional allow_if r0 ?RA >blocked",
        "not resolved, some addresses are allowed",
        f"{A443}|RA4={PUBLIC}",
        to="",
        settings=OUT,
    ),
    c("conditional block_if r0 ?value:RA4 >allowed", "an address that is none", f"{B443}|RA4=300.1.1.1"),
    c(
        "conditional block_if r0 ?value:RA4 >allowed",
        "an address that is none, beside one that does not match",
        f"{B443}|RA4=host.example|RA4=1.1.1.1",
    ),
    c(
        "conditional block_if r0 ?value:RA4 >allowed",
        "a range that ends before it begins",
        f"{B443}|RA4=9.9.9.9-1.1.1.1",
    ),
    c("conditional block_if r0 ?LA >allowed", "a rule for one local address", f"{B443}|LA4=10.0.0.5"),
    c("blocked block_rule r0", "IPv6 with a zone", f"{B443}|RA6=fe80::/10", to="fe80::1%12"),
    c(
        "conditional block_if r0 ?RADynKey >allowed",
        "a dynamic keyword without addresses is not everything",
        f"{B443}|RADynKey={{9e2c}}",
    ),
    c("conditional allow_if r0 ?RADynKey >blocked", "allowed by name", f"{A443}|RADynKey={{9e2c}}", settings=OUT),
    c(
        "allowed allow_rule r0",
        "its own addresses hold anyway",
        f"{A443}|RADynKey={{9e2c}}|RA4={PUBLIC}",
        settings=OUT,
    ),
    c(
        "conditional allow_if r0 ?RADynKey >blocked",
        "not in its own addresses: perhaps by the keyword",
        f"{A443}|RADynKey={{9e2c}}|RA4=1.1.1.1",
        settings=OUT,
    ),
]

APP = f"App={EDEFTER}"
CONDITIONS = [
    c(
        "conditional block_if r0 ?App >allowed",
        "some program, and we do not know ours",
        f"{B443}|App=C:\\x\\chrome.exe",
    ),
    c("blocked block_rule r0", "our program by name", f"{B443}|{APP}", who="edefter"),
    c("allowed default_allow", "another program", f"{B443}|App=C:\\x\\chrome.exe", who="edefter"),
    c("blocked block_rule r0", "paths in any case", f"{B443}|{APP.upper()}".replace("APP=", "App="), who="edefter"),
    c("allowed allow_rule r0", "allowed for our program", f"{A443}|{APP}", who="edefter", settings=OUT),
    c("blocked default_block", "allowed for another program", f"{A443}|App=C:\\x.exe", who="edefter", settings=OUT),
    c("conditional allow_if r0 ?App >blocked", "allowed for some program", f"{A443}|{APP}", settings=OUT),
    c(
        "conditional allow_if r0 ?App ?App >blocked",
        "allowed for some, blocked for others",
        f"{A443}|{APP}",
        f"{B443}|App=C:\\x.exe",
        settings=OUT,
    ),
    c("allowed default_allow", "Windows' own program is not e-Defter", f"{B443}|App=%windir%\\x.exe", who="third"),
    c(
        "blocked default_block",
        "stock Windows lets programs of its own out",
        "Allow|App=C:\\Windows\\system32\\dashost.exe|TTK2_22=WFDPrint",
        who="third",
        settings=OUT,
    ),
    c("allowed default_allow", "a prober is no browser", f"{B443}|App=C:\\x\\chrome.exe", who="probe"),
    c(
        "conditional block_if r0 ?App >allowed",
        "a hardening tool keeps PowerShell in, and so our prober",
        f"{B443}|App=%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        who="probe",
    ),
    c(
        "conditional allow_if r0 ?App >blocked",
        "the offline check, wherever it lies",
        f"{A443}|App=E:\\usb\\edefter-kontrol.exe",
        who="probe",
        settings=OUT,
    ),
    c("conditional block_if r0 ?App >allowed", "any other may be e-Defter", f"{B443}|App=C:\\x.exe", who="third"),
    c("allowed default_allow", "the kernel is no program", f"{B443}|App=System"),
    c("conditional block_if r0 ?App >allowed", "anybody may be the kernel", f"{B443}|App=System", who="anybody"),
    c(
        "allowed default_allow",
        "a service's rule, and we are none",
        f"{B443}|App=%SystemRoot%\\system32\\svchost.exe|Svc=Dnscache",
    ),
    c(
        "conditional block_if r0 ?App ?Svc >allowed",
        "anybody may be that service",
        f"{B443}|App=C:\\Program Files\\Windows Defender\\MsMpEng.exe|Svc=WinDefend",
        who="anybody",
    ),
    c("allowed default_allow", "any service, and we are none", f"{B443}|Svc=*"),
    c(
        "allowed allow_rule r0",
        "Windows Time by its service",
        "Allow|Protocol=17|RPort=123|Svc=w32time",
        port=123,
        udp=True,
        who="time",
        settings=OUT,
    ),
    c(
        "allowed allow_rule r0",
        "any service",
        "Allow|Protocol=17|RPort=123|Svc=*",
        port=123,
        udp=True,
        who="time",
        settings=OUT,
    ),
    c(
        "blocked default_block",
        "another service",
        "Allow|Protocol=17|RPort=123|Svc=Dhcp",
        port=123,
        udp=True,
        who="time",
        settings=OUT,
    ),
    c(
        "allowed allow_rule r0",
        "svchost under another spelling",
        "Allow|Protocol=17|RPort=123|App=C:\\WINDOWS\\system32\\svchost.exe|Svc=W32Time",
        port=123,
        udp=True,
        who="time",
        settings=OUT,
    ),
    c(
        "allowed allow_rule r0",
        "a doubled backslash from a hand-made import",
        "Allow|Protocol=17|RPort=123|App=%SystemRoot%\\\\system32\\\\svchost.exe",
        port=123,
        udp=True,
        who="time",
        settings=OUT,
    ),
    c(
        "allowed default_allow",
        "a Store app: a desktop program is none",
        f"{B443}|PFN=Microsoft.WindowsStore_8wekyb3d8bbwe",
    ),
    c(
        "blocked default_block",
        "a Store app's allow opens nothing for us",
        "Allow|PFN=Microsoft.WindowsStore_8wekyb3d8bbwe|LUOwn=S-1-5-21-1-1-1-1001",
        settings=OUT,
    ),
    c(
        "conditional block_if r0 ?PFN >allowed",
        "anybody may be a Store app",
        f"{B443}|PFN=x_8wekyb3d8bbwe",
        who="anybody",
    ),
    c("allowed default_allow", "an app container", f"{B443}|AppPkgId=S-1-15-2-1"),
    c("allowed allow_rule r0", "a package that we are", f"{A443}|PFN=App_1", who="package", settings=OUT),
    c(
        "conditional allow_if r0 ?PFN >blocked",
        "another name may be the same package",
        f"{A443}|PFN=S-1-15-2-9",
        who="package",
        settings=OUT,
    ),
    c("conditional block_if r0 ?LUOwn >allowed", "some user's rule", f"{B443}|LUOwn=S-1-5-21-1-1-1-1001"),
    c("conditional block_if r0 ?LUAuth >allowed", "some users", f"{B443}|LUAuth=O:LSD:(A;;CC;;;S-1-5-84-0-0-0-0-0)"),
    c(
        "conditional allow_if r0 ?LUAuth2_24 >blocked",
        "base64 with = in it",
        f"{A443}|LUAuth2_24=QUJD=ZA==",
        settings=OUT,
    ),
    c(
        "conditional allow_if r0 ?Security >blocked",
        "only inside IPsec",
        f"{A443}|Security=Authenticate",
        settings=OUT,
    ),
    c(
        "conditional allow_if r0 ?RMAuth >blocked",
        "only to some machines",
        f"{A443}|RMAuth=O:LSD:(A;;CC;;;AU)",
        settings=OUT,
    ),
    c("conditional block_if r0 ?IFType >allowed", "only by Wi-Fi", f"{B443}|IFType=Wireless"),
    c("conditional block_if r0 ?IF >allowed", "only by one adapter", f"{B443}|IF={{5d1c}}"),
    c("conditional block_if r0 ?TTK2_22 >allowed", "only near devices", f"{B443}|TTK2_22=WFDPrint"),
    c(
        "conditional block_if r0 ?Platform ?Platform2 >allowed",
        "only some Windows",
        f"{B443}|Platform=2:6:2|Platform2=GTEQ",
    ),
    c("conditional block_if r0 ?SkipVer >allowed", "skipped by some versions", f"{B443}|SkipVer=v2.20"),
    c("conditional block_if r0 ?FQBN >allowed", "a signed binary", f"{B443}|FQBN=O=X"),
    c("conditional block_if r0 ?NNm >allowed", "only on some network", f"{B443}|NNm=ofis"),
    c("conditional block_if r0 ?RsNm >allowed", "an undocumented key that narrows", f"{B443}|RsNm=x"),
    c("conditional block_if r0 ?Future2_40 >allowed", "a key from a later version", f"{B443}|Future2_40=x"),
    c(
        "conditional allow_if r0 ?Future2_40 >blocked",
        "a key from a later version on an allow",
        f"{A443}|Future2_40=x",
        settings=OUT,
    ),
    c(
        "blocked block_rule r0",
        "Edge, Defer, LSM, LOM and PCross narrow nothing",
        f"{B443}|Edge=TRUE|Defer=App|LSM=TRUE|LOM=TRUE|PCross=TRUE",
    ),
    c(
        "blocked block_rule r0",
        "name, description and group narrow nothing",
        f"{B443}|Name=@x.dll,-1|Desc=|EmbedCtxt=g",
    ),
    c(
        "conditional block_if r0 ?repeated:App >allowed",
        "two programs in one rule",
        f"{B443}|{APP}|{APP}",
        who="edefter",
    ),
    c("conditional block_if r0 ?token >allowed", "a token without =", f"{B443}|nonsense"),
    c("conditional block_if r0 ?value:Action >allowed", "an action that nobody knows might block", "Deny|Protocol=6"),
    c("conditional block_if r0 ?version >allowed", "no version", "!x|Action=Block|Active=TRUE|Dir=Out|Protocol=6|"),
    c(
        "conditional block_if r0 ?unfinished >allowed",
        "a string that was cut: conditions may be missing",
        "!v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443",
    ),
    c(
        "conditional block_if r0 ?unfinished ?value:RA4 >allowed",
        "cut within its addresses",
        "!v2.33|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443|RA4=1.1.1.1|RA4=2.2",
    ),
    c(
        "blocked default_block",
        "a conditional block under a default block changes nothing",
        f"{B443}|LUOwn=S-1",
        settings=OUT,
    ),
    c("allowed default_allow", "a conditional allow under a default allow changes nothing", f"{A443}|LUOwn=S-1"),
    c(
        "allowed allow_rule r1",
        "an unconditional allow beside a conditional one",
        f"{A443}|LUOwn=S-1",
        A443,
        settings=OUT,
    ),
    c(
        "conditional block_if r0 ?LUOwn >allowed",
        "an allow does not beat a conditional block",
        f"{B443}|LUOwn=S-1",
        A443,
        settings=OUT,
    ),
    c("blocked block_rule r1", "a sure block beside a conditional one", f"{B443}|LUOwn=S-1", B443),
]

HARDENING = [
    c("allowed default_allow", "service hardening binds only its service", "static:Block|Svc=W32Time"),
    c("blocked hardening r0", "the service is hardened", "static:Block|Svc=W32Time", port=123, udp=True, who="time"),
    c(
        "allowed default_allow",
        "in hardening an allow beats the block",
        "static:Block|Svc=W32Time",
        "static:Allow|Protocol=17|RPort=123|Svc=W32Time",
        port=123,
        udp=True,
        who="time",
    ),
    c(
        "blocked default_block",
        "a hardening allow opens nothing in the firewall",
        "static:Block|Svc=W32Time",
        "static:Allow|Protocol=17|RPort=123|Svc=W32Time",
        port=123,
        udp=True,
        who="time",
        settings=OUT,
    ),
    c(
        "blocked hardening r0",
        "the firewall's allow does not beat hardening",
        "static:Block|Svc=W32Time",
        "Allow|Protocol=17|RPort=123",
        port=123,
        udp=True,
        who="time",
    ),
    c(
        "allowed default_allow",
        "hardening of another service",
        "static:Block|Svc=Dhcp",
        port=123,
        udp=True,
        who="time",
    ),
    c(
        "blocked hardening r0",
        "hardening needs no Active",
        "configurable:Block|Svc=W32Time|-Active",
        port=123,
        udp=True,
        who="time",
    ),
    c(
        "conditional hardening r0 ?LUOwn >allowed",
        "hardening under a condition",
        "static:Block|Svc=W32Time|LUOwn=S-1",
        port=123,
        udp=True,
        who="time",
    ),
    c(
        "blocked hardening r0",
        "hardening holds with the profile off",
        "static:Block|Svc=W32Time",
        port=123,
        udp=True,
        who="time",
        settings="enable=0",
    ),
    c(
        "allowed default_allow",
        "hardening for another profile",
        "static:Block|Svc=W32Time|Profile=Public",
        port=123,
        udp=True,
        who="time",
    ),
]

REST = [
    c(
        "conditional interfaces ?DisabledInterfaces >blocked",
        "the firewall is off on some adapters",
        settings="out=1 interfaces={5d1c}",
    ),
    c(
        "conditional interfaces r0 ?DisabledInterfaces >blocked",
        "a block, but not on some adapters",
        B443,
        settings="interfaces={5d1c}",
    ),
    c("allowed default_allow", "open everywhere anyway", settings="interfaces={5d1c}"),
    c("unknown truncated", "not all rules were read: an unread one may block", complete=False),
    c("blocked block_rule r0", "a block is a block, however many are unread", B443, complete=False),
    c("unknown truncated", "what is allowed may be blocked by an unread rule", A443, settings=OUT, complete=False),
    c("unknown truncated", "an unread allow may open what the default blocks", settings=OUT, complete=False),
    c("allowed off", "off is off, however many are unread", settings="enable=0", complete=False),
    c("unknown truncated", "a conditional block and unread rules", f"{B443}|LUOwn=S-1", complete=False),
    c("blocked block_rule r0", "app isolation's rules count like others", f"appiso:{B443}"),
    c("allowed default_allow", "what is not e-Defter's", "Block|Protocol=6|RPort=25", "Block|Protocol=17|RPort=53"),
    c(
        "allowed allow_rule r2",
        "our own group",
        "Allow|Protocol=17|RPort=123|Name=edefter.ready UDP 123",
        "Allow|Protocol=6|RPort=80|Name=edefter.ready TCP 80",
        "Allow|Protocol=6|RPort=443|Name=edefter.ready TCP 443",
        settings=OUT,
    ),
    c(
        "blocked block_rule r1",
        "our own group cannot beat a block",
        "Allow|Protocol=6|RPort=443|Name=edefter.ready TCP 443",
        "gpo:Block|Protocol=6|RPort=443|Name=No web",
        settings=OUT,
    ),
]

TABLE = [*DEFAULTS, *PRECEDENCE, *MERGE, *PROFILES, *PORTS, *ADDRESSES, *CONDITIONS, *HARDENING, *REST]
