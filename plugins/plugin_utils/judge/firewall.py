# Copyright (c) 2026, edefter.ready contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the outbound firewall.

Pure. Checks: `firewall.outbound:<endpoint id>` (also `:ntp`, `:dns`), `firewall.rules` (our group), `firewall.service`,
`firewall.stray`, `firewall.fqdn`.
"""

from __future__ import annotations

import typing as t

from ansible_collections.edefter.ready.plugins.plugin_utils.judge.firewall_local import (
    Judged,
    LocalVerdict,
    clip,
    judge_endpoint,
    judge_queries,
)
from ansible_collections.edefter.ready.plugins.plugin_utils.model import Area, Evidence, Finding, Owner, Status, Step
from ansible_collections.edefter.ready.plugins.plugin_utils.observation.firewall import Firewall
from ansible_collections.edefter.ready.plugins.plugin_utils.plan import firewall as plan
from ansible_collections.edefter.ready.plugins.plugin_utils.wanted.firewall import FirewallContext, FirewallWanted
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw import effective
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.evaluate import Outcome, Verdict
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.grammar import fold
from ansible_collections.edefter.ready.plugins.plugin_utils.winfw.rule import Action

# Programs that a rule may name and that are likely the ones that send the ledgers.
_OWN_PROGRAMS = ("edefter", "e-defter", "mikro")

# Turkish and English, as Windows' own dialogs name them.
_PROFILE_NAMES = {"domain": ("Etki Alanı", "Domain"), "private": ("Özel", "Private"), "public": ("Ortak", "Public")}
_STORE_NAMES = {
    "local": ("bu bilgisayarın kendi ayarı", "this machine's own setting"),
    "gpo": ("Grup İlkesi", "Group Policy"),
    "mdm": ("MDM (Intune) ilkesi", "MDM (Intune) policy"),
    "default": ("Windows varsayılanı", "Windows' default"),
    "static": ("Windows hizmet sağlamlaştırması", "Windows service hardening"),
    "configurable": ("Windows hizmet sağlamlaştırması", "Windows service hardening"),
}


def _names(key: str, table: t.Mapping[str, tuple[str, str]], value: str) -> dict[str, str]:
    turkish, english = table.get(value, (value, value))
    return {f"{key}_tr": turkish, f"{key}_en": english}


def judge_firewall(
    firewall: Firewall, wanted: FirewallWanted, context: FirewallContext, steps: tuple[Step, ...] | None = None
) -> tuple[Finding, ...]:
    """All findings of this domain. steps: the plan, when the caller has it already."""
    found = plan.situation(firewall, wanted, context)
    if steps is None:
        steps = plan.plan_firewall(firewall, wanted, context, found)
    judge = _Judge(firewall, wanted, context, found, steps)
    return tuple(judge.findings())


class _Judge:
    """One host's findings; holds what each of them needs."""

    def __init__(
        self,
        firewall: Firewall,
        wanted: FirewallWanted,
        context: FirewallContext,
        found: plan.Situation,
        steps: tuple[Step, ...],
    ) -> None:
        self.firewall = firewall
        self.wanted = wanted
        self.context = context
        self.found = found
        self.steps = steps
        self.book = firewall.book()

    def findings(self) -> t.Iterator[Finding]:
        """In reading order."""
        yield from self._service()
        for endpoint in self.context.endpoints:
            judged = judge_endpoint(self.firewall, self.book, endpoint, self.context, self.wanted.subject)
            where = f"{endpoint.host}:{endpoint.port}"
            yield self._outbound(
                endpoint.id, where, f"TCP {endpoint.port}", judged, endpoint.required, endpoint.required
            )
        ports = sorted({s.port for s in self.context.time_sources if s.kind == "ntp"})
        if ports and self.wanted.ntp:
            judged = judge_queries(self.firewall, self.book, "ntp", [plan.ntp_query(port) for port in ports])
            label = "/".join(f"UDP {port}" for port in ports)
            yield self._outbound("ntp", "NTP", label, judged, True, False)
        if any(self._blocks(profile) for profile in self.firewall.judged):
            judged = judge_queries(self.firewall, self.book, "dns", [plan.dns_query()])
            yield self._outbound("dns", "DNS", "UDP 53", judged, self.wanted.dns != "never", False)
        yield self._rules()
        yield from self._strays()
        if self.wanted.strategy == "fqdn" and self.wanted.state == "present":
            yield self._fqdn()

    def _blocks(self, profile: str) -> bool:
        settings = self.book.effective[profile]
        return settings.enable.value != effective.OFF and settings.outbound.value != effective.ALLOW

    def _service(self) -> t.Iterator[Finding]:
        stopped = [
            name
            for name, state in (("MpsSvc", self.firewall.mpssvc), ("BFE", self.firewall.bfe))
            if state.state in ("stopped", "absent")
        ]
        if stopped:
            yield _finding(
                "firewall.service",
                "",
                Status.WARN,
                "firewall.service_stopped",
                Owner.LOCAL_ADMIN,
                ", ".join(stopped),
                "running",
                {"services": ", ".join(stopped)},
            )

    def _outbound(
        self, subject: str, where: str, label: str, judged: Judged, required: bool, blocks_filing: bool
    ) -> Finding:
        local, verdict = judged.local, judged.verdict
        cause, status, owner = self._cause(local, verdict, label)
        steps = self._repairs(cause, label) if owner is Owner.COLLECTION else ()
        if status is Status.FAIL and not required:
            status = Status.WARN
        params = {
            "where": where,
            "port": label,
            "rule": local.rule,
            "store": local.store,
            "profile": local.profile,
            **_names("profile", _PROFILE_NAMES, local.profile),
            **_names("store", _STORE_NAMES, local.store),
            "conditions": "; ".join(local.conditions),
            "program": self.wanted.program,
            "gpo": self._gpo_path(local.profile),
        }
        evidence = [Evidence("verdict", local.verdict), Evidence("reason", local.reason)]
        evidence += [Evidence("profile", local.profile)] if local.profile else []
        if verdict is not None and verdict.rule is not None:
            evidence += [
                Evidence("rule", local.rule),
                Evidence("rule_id", local.rule_id),
                Evidence("store", local.store),
            ]
            evidence.append(Evidence("rule_text", verdict.rule.text()[:500]))
        evidence += [Evidence("condition", text) for text in local.conditions[:6]]
        active = self.firewall.active
        evidence.append(Evidence("active_profiles", ", ".join(active) if active else "unknown: all judged"))
        return _finding(
            "firewall.outbound",
            subject,
            status,
            cause,
            owner,
            local.verdict,
            "allowed",
            params,
            evidence=tuple(evidence),
            blocks_filing=blocks_filing and status in (Status.FAIL, Status.UNKNOWN),
            steps=steps,
        )

    def _repairs(self, cause: str, label: str) -> tuple[str, ...]:
        """Ids of the steps that repair one outbound finding: the rule for its port, or the removal of a block."""
        if cause == "firewall.blocked_by_rule":
            return tuple(s.id for s in self.steps if s.reason == "firewall.step_unblock")
        protocol, port = label.lower().split(" ", 1)
        return tuple(
            s.id for s in self.steps if s.args.get("protocol") == protocol and s.args.get("remoteport") == port
        )

    def _cause(self, local: LocalVerdict, verdict: Verdict | None, label: str) -> tuple[str, Status, Owner]:
        if verdict is None:
            return "firewall.unknown_service", Status.UNKNOWN, Owner.LOCAL_ADMIN
        if verdict.outcome is Outcome.ALLOWED:
            cause = {
                "off": "firewall.allowed_off",
                "default_allow": "firewall.allowed_default",
            }.get(verdict.reason, "firewall.allowed_rule")
            return cause, Status.PASS, Owner.NOBODY
        if verdict.outcome is Outcome.UNKNOWN:
            return "firewall.unknown_settings", Status.UNKNOWN, Owner.LOCAL_ADMIN
        rule = verdict.rule
        blocks = rule is not None and rule.action is not Action.ALLOW
        if blocks and verdict.reason in ("block_rule", "hardening", "interfaces"):
            return self._blocked_by_rule(local)
        if verdict.reason == "block_if":
            return self._block_if(verdict)
        if verdict.reason == "allow_if" and {c.key for c in verdict.conditions} <= {"RADynKey"}:
            # Windows fills dynamic keywords from DNS answers; what they hold now, the registry does not say.
            status = Status.PASS if self.wanted.strategy == "fqdn" else Status.WARN
            return "firewall.dynamic_keyword", status, Owner.NOBODY
        return self._default(verdict, label)

    def _blocked_by_rule(self, local: LocalVerdict) -> tuple[str, Status, Owner]:
        if local.store in ("gpo", "mdm"):
            return "firewall.blocked_by_policy_rule", Status.FAIL, Owner.DOMAIN_ADMIN
        removable = any(step.reason == "firewall.step_unblock" for step in self.steps)
        owner = Owner.COLLECTION if removable and self._opted(local.rule) else Owner.LOCAL_ADMIN
        return "firewall.blocked_by_rule", Status.FAIL, owner

    def _opted(self, name: str) -> bool:
        return fold(name) in {fold(n) for n in self.wanted.remove_blocking_rules}

    def _block_if(self, verdict: Verdict) -> tuple[str, Status, Owner]:
        rule = verdict.rule
        owner = Owner.DOMAIN_ADMIN if rule is not None and rule.store in ("gpo", "mdm") else Owner.LOCAL_ADMIN
        if {c.key for c in verdict.conditions} == {"App"}:
            ours = any(word in fold(c.value) for c in verdict.conditions for word in _OWN_PROGRAMS)
            if not ours:
                return "firewall.allowed_except", Status.PASS, Owner.NOBODY
            return "firewall.blocked_program", Status.WARN, owner
        return "firewall.blocked_if", Status.WARN, owner

    def _default(self, verdict: Verdict, label: str) -> tuple[str, Status, Owner]:
        """Kept in by the default action, wholly or but for some programs."""
        settings = self.book.effective[verdict.profile]
        if settings.merge.value != effective.ON:
            return "firewall.default_block_policy", Status.FAIL, Owner.DOMAIN_ADMIN
        cause = "firewall.allowed_only_if" if verdict.reason == "allow_if" else "firewall.default_block"
        owner = Owner.COLLECTION if self._repairs(cause, label) else Owner.LOCAL_ADMIN
        if owner is Owner.LOCAL_ADMIN and settings.outbound.by_policy:
            owner = Owner.DOMAIN_ADMIN
        return cause, Status.FAIL, owner

    def _gpo_path(self, profile: str) -> str:
        key = {"domain": "DomainProfile", "private": "PrivateProfile", "public": "PublicProfile"}.get(profile, "")
        return rf"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\{key}" if key else ""

    def _rules(self) -> Finding:
        """Our group as a whole."""
        found, wanted = self.found, self.wanted
        names = sorted({rule.name for rule in found.ours})
        ids = tuple(step.id for step in self.steps if step.reason != "firewall.step_unblock")
        observed = f"{len(found.ours)} rules"
        params = {
            "group": wanted.group,
            "count": str(len(found.wanted)),
            "rules": clip(", ".join(names)),
            "profiles_tr": ", ".join(_PROFILE_NAMES[p][0] for p in found.forbidden),
            "profiles_en": ", ".join(_PROFILE_NAMES[p][1] for p in found.forbidden),
            "gpo": "; ".join(self._gpo_path(profile) for profile in found.forbidden),
            "names": clip(", ".join(dict.fromkeys(s.params["rule"] for s in self.steps if s.id in ids))),
        }
        if wanted.state == "absent":
            clean = not found.ours
            cause = "firewall.rules_gone" if clean else "firewall.rules_left"
            status = Status.PASS if clean else Status.WARN
            owner = Owner.NOBODY if clean else Owner.COLLECTION if ids else Owner.LOCAL_ADMIN
            expected = "0 rules"
        elif not found.lay and found.needed and set(found.needed) <= set(found.forbidden):
            cause, status, owner = "firewall.rules_forbidden", Status.FAIL, Owner.DOMAIN_ADMIN
            expected = "AllowLocalPolicyMerge=1"
        elif not found.lay and wanted.when == "always" and found.forbidden:
            cause, status, owner = "firewall.rules_forbidden", Status.WARN, Owner.DOMAIN_ADMIN
            expected = "AllowLocalPolicyMerge=1"
        elif not found.lay:
            cause, status, owner, expected = "firewall.rules_not_needed", Status.PASS, Owner.NOBODY, "0 rules"
        elif ids:
            missing = all(step.reason == "firewall.step_lay" for step in self.steps if step.id in ids)
            cause = "firewall.rules_missing" if missing else "firewall.rules_drifted"
            status, owner, expected = Status.WARN, Owner.COLLECTION, f"{len(found.wanted)} rules"
        elif not found.running:
            cause, status, owner = "firewall.unknown_service", Status.UNKNOWN, Owner.LOCAL_ADMIN
            expected = f"{len(found.wanted)} rules"
        else:
            cause, status, owner = "firewall.rules_complete", Status.PASS, Owner.NOBODY
            expected = f"{len(found.wanted)} rules"
        return _finding(
            "firewall.rules",
            "",
            status,
            cause,
            owner,
            observed,
            expected,
            params,
            evidence=tuple(Evidence("rule", clip(name)) for name in names[:20]),
            steps=ids,
        )

    def _strays(self) -> t.Iterator[Finding]:
        for rule in self.found.strays:
            yield _finding(
                "firewall.stray",
                clip(rule.id),
                Status.WARN,
                "firewall.stray",
                Owner.LOCAL_ADMIN,
                clip(rule.name),
                "",
                {"rule": clip(rule.name), "group": self.wanted.group},
                evidence=(Evidence("rule_text", rule.text()[:500]),),
            )

    def _fqdn(self) -> Finding:
        names = sorted({e.allow for e in self.context.endpoints})
        return _finding(
            "firewall.fqdn",
            "",
            Status.WARN,
            "firewall.fqdn_advice",
            Owner.LOCAL_ADMIN,
            "",
            ", ".join(names),
            {"names": ", ".join(names), "commands": "\n".join(fqdn_commands(self.context, self.wanted))},
        )


def fqdn_commands(context: FirewallContext, wanted: FirewallWanted) -> tuple[str, ...]:
    """PowerShell lines that make dynamic keywords and rules for them. Advice: needs Windows 11/Server 2022 with
    Defender's network protection on; nothing here has run on such a machine."""
    lines = []
    ports: dict[str, set[int]] = {}
    for endpoint in context.endpoints:
        ports.setdefault(endpoint.allow, set()).add(endpoint.port)
    for name, numbers in sorted(ports.items()):
        lines.append("$id = '{' + (New-Guid).ToString() + '}'")
        lines.append(f"New-NetFirewallDynamicKeywordAddress -Id $id -Keyword '{name}' -AutoResolve $true")
        program = f" -Program '{wanted.program.replace(chr(39), chr(39) * 2)}'" if wanted.program else ""
        # A display name of its own: under our prefix the collection would take it for a drifted rule and remove it.
        lines.append(
            f"New-NetFirewallRule -DisplayName 'e-Defter {name}' -Direction Outbound -Action Allow -Protocol TCP"
            f" -RemotePort {','.join(map(str, sorted(numbers)))} -RemoteDynamicKeywordAddresses $id{program}"
        )
    return tuple(lines)


def _finding(
    check: str,
    subject: str,
    status: Status,
    cause: str,
    owner: Owner,
    observed: str,
    expected: str,
    params: t.Mapping[str, str],
    **more: t.Any,
) -> Finding:
    return Finding(
        id=f"{check}:{subject}" if subject else check,
        area=Area.FIREWALL,
        check=check,
        subject=subject,
        status=status,
        cause=cause,
        owner=owner,
        observed=observed,
        expected=expected,
        params=params,
        grade="baseline",
        **more,
    )
