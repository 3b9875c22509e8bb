// edefter.ready: the report's own script. Details of a host are unpacked when it is opened; whatever a host said is put
// into the page as text, never as markup.
(function () {
  "use strict";

  var root = document.documentElement;
  var words = JSON.parse(document.getElementById("vocabulary").textContent);
  var SVG = "http://www.w3.org/2000/svg";
  var PHASES = ["dns", "tcp", "tls", "http"];

  // ---- putting elements together

  // Characters that turn the text around them, or cannot be seen, are shown for what they are.
  function visible(text) {
    return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "\ufffd");
  }

  function put(node, children) {
    children.forEach(function (child) {
      if (child === null || child === undefined) return;
      if (Array.isArray(child)) put(node, child);
      else node.appendChild(typeof child === "object" ? child : document.createTextNode(visible(String(child))));
    });
    return node;
  }

  function el(name, attributes) {
    var node = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    return put(node, Array.prototype.slice.call(arguments, 2));
  }

  function svg(name, attributes) {
    var node = document.createElementNS(SVG, name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    return put(node, Array.prototype.slice.call(arguments, 2));
  }

  function fill(text, values) {
    return text.replace(/\{([a-z_]+)\}/g, function (all, name) {
      return values && Object.prototype.hasOwnProperty.call(values, name) ? values[name] : all;
    });
  }

  // A text in both languages; the style sheet shows one of them. Values may differ by language themselves.
  function both(text, values) {
    return ["tr", "en"].map(function (language) {
      var own = {};
      Object.keys(values || {}).forEach(function (key) {
        own[key] = values[key] && typeof values[key] === "object" ? values[key][language] : values[key];
      });
      return el("span", { lang: language }, fill(text[language], own));
    });
  }

  function say(key, values) { return both(words.script[key], values); }

  function word(group, key) {
    return Object.prototype.hasOwnProperty.call(words[group], key) ? words[group][key] : { tr: key, en: key };
  }

  function labelled(node, text, values) {
    node.setAttribute("data-tr", visible(fill(text.tr, values)));
    node.setAttribute("data-en", visible(fill(text.en, values)));
    node.setAttribute("aria-label", node.getAttribute("data-" + root.lang));
    return node;
  }

  function number(value, digits) { return value.toFixed(digits === undefined ? 1 : digits); }

  // A figure with its unit as both languages write it.
  var UNITS = { s: "sn", min: "dk", h: "sa", d: "gün", y: "yıl" };
  function spoken(text) {
    return { en: text, tr: text.replace(/(\d)\.(\d)/g, "$1,$2").replace(/(\d) (s|min|h|d|y)\b/g, function (all, digit, unit) {
      return digit + " " + UNITS[unit];
    }) };
  }
  function figure(text) { return both(spoken(text)); }

  // ---- language

  function speak(language) {
    root.lang = language;
    root.setAttribute("data-lang", language);
    document.querySelectorAll("[data-to]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-to") === language));
    });
    document.querySelectorAll("[data-tr]").forEach(function (node) {
      var text = node.getAttribute("data-" + language);
      node.setAttribute("aria-label", text);
      if (node.hasAttribute("placeholder")) node.setAttribute("placeholder", text);
    });
    try { window.localStorage.setItem("edefter.language", language); } catch (ignored) { /* not kept, then */ }
  }

  document.querySelectorAll("[data-to]").forEach(function (button) {
    button.addEventListener("click", function () { speak(button.getAttribute("data-to")); });
  });

  // ---- details

  var blocks = {};

  function unpack(text) {
    var raw = atob(text);
    var bytes = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    var stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  }

  function details(block, place) {
    if (typeof DecompressionStream === "undefined") return Promise.reject(new Error("old"));
    if (!blocks[block]) {
      var kept = Object.keys(blocks);
      if (kept.length > 8) delete blocks[kept[0]];
      blocks[block] = unpack(document.getElementById("block-" + block).textContent);
    }
    return blocks[block].then(function (all) { return all[place]; });
  }

  function section(heading) {
    return el("section", {}, [el("h5", {}, say(heading)), Array.prototype.slice.call(arguments, 1)]);
  }

  // On a small screen a table scrolls; what scrolls has to be reached with the keyboard.
  function wide(table) {
    return labelled(el("div", { "class": "wide", tabindex: "0", role: "group" }, table), words.script.wide);
  }

  function row(list, term, value) {
    if (value) put(list, [el("dt", {}, say(term)), el("dd", {}, value)]);
  }

  function finding(found) {
    var list = el("dl");
    row(list, "observed", found.observed && el("span", { "class": "mono" }, found.observed));
    row(list, "expected", found.expected && el("span", { "class": "mono" }, found.expected));
    if (found.status !== "pass") {
      row(list, "who", both(word("owner", found.owner)));
      row(list, "remedy", found.remedy.tr && both(found.remedy));
    }
    row(list, "contributing", found.contributing.length && el("span", { "class": "mono" }, found.contributing.join(", ")));
    row(list, "ruled_out", found.ruled_out.length && el("span", { "class": "mono" }, found.ruled_out.join(", ")));
    if (found.evidence.length) {
      row(list, "evidence", el("dl", { "class": "evidence mono" }, found.evidence.map(function (item) {
        return [el("dt", {}, item[0]), el("dd", {}, item[1])];
      })));
    }
    return el("div", { "class": "finding " + found.status },
      el("h6", {}, el("span", { "class": "tag " + found.status }, both(word("status", found.status))), " ",
        both(found.title), " ", el("span", { "class": "quiet" }, both(word("area", found.area)), " · ",
          el("span", { "class": "mono" }, found.id))),
      list);
  }

  function findings(host) {
    var bad = host.findings.filter(function (found) { return found.status !== "pass"; });
    var good = host.findings.filter(function (found) { return found.status === "pass"; });
    if (!host.findings.length) return null;
    var hidden = el("details", {}, el("summary", {}, say("passes", { count: good.length })));
    hidden.addEventListener("toggle", function () {
      if (hidden.open && hidden.children.length === 1) put(hidden, good.map(finding));
    });
    return section("problems", bad.length ? bad.map(finding) : el("p", {}, say("no_problems")), good.length ? hidden : null);
  }

  function changes(host) {
    if (!host.plan.length && !host.was.length) return null;
    var proven = host.plan.some(function (step) { return step.done !== null; });
    var rows = host.plan.map(function (step) {
      var told = step.done === null ? null : el("span", { "class": "tag " + (step.done ? "pass" : "fail") }, say(step.done ? "proven" : "left"));
      return el("tr", {}, el("td", {}, both(step.title), " ", told),
        el("td", { "class": "mono" }, step.before || say("nothing_there")), el("td", { "class": "mono" }, step.after));
    });
    var table = host.plan.length ? wide(el("table", { "class": "changes" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say(proven ? "changes" : "planned")),
        el("th", { scope: "col" }, say("was")), el("th", { scope: "col" }, say("becomes")))),
      el("tbody", {}, rows))) : null;
    var list = host.was.map(function (change) {
      return el("tr", {}, side(change.before), change.after ? side(change.after) : el("td", {}, say("gone")));
    });
    var compared = list.length ? el("details", {}, el("summary", {}, say("changed_findings"), " (" + list.length + ")"),
      wide(el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("was")),
        el("th", { scope: "col" }, say("becomes")))), el("tbody", {}, list)))) : null;
    return section(proven ? "changes" : "planned", table, compared);
  }

  function side(short) {
    return el("td", {}, el("span", { "class": "tag " + short.status }, both(word("status", short.status))), " ", both(short.title));
  }

  // ---- pictures

  function probes(host) {
    if (!host.probes.length) return null;
    var longest = 1;
    host.probes.forEach(function (probe) {
      longest = Math.max(longest, PHASES.reduce(function (sum, name) { return sum + (probe.phases[name] || 0); }, 0));
    });
    var rows = host.probes.map(function (probe) {
      var at = 0, total = 0;
      var bar = svg("svg", { "class": "chart", viewBox: "0 0 300 16", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" });
      PHASES.forEach(function (name) {
        var took = probe.phases[name];
        if (took === null || took === undefined) {
          if (probe.failed === name) bar.appendChild(cross(at + 6));
          return;
        }
        var width = Math.max(took / longest * 280, 0.8);
        bar.appendChild(svg("rect", { "class": probe.failed === name ? "failed" : name, x: at, y: 3, width: width, height: 10 }));
        at += width;
        total += took;
        if (probe.failed === name) bar.appendChild(cross(at + 8));
      });
      var cells = PHASES.map(function (name) {
        var took = probe.phases[name];
        return el("td", { "class": "mono" }, took === null || took === undefined ? "–" : figure(number(took, took < 100 ? 1 : 0)));
      });
      var told = probe.failed ? el("span", { "class": "tag fail" }, say("failed_in", { phase: word("phase", probe.failed) })) : null;
      return el("tr", {}, el("th", { scope: "row" }, probe.host + ":" + probe.port, el("div", { "class": "quiet mono" }, probe.address || ""), told),
        el("td", { "class": "picture" }, bar), cells, el("td", { "class": "mono" }, figure(number(total, total < 100 ? 1 : 0))));
    });
    var heads = PHASES.map(function (name) {
      return el("th", { scope: "col" }, el("span", { "class": "legend" }, el("span", {}, el("span", { "class": "dot " + name }), name.toUpperCase())));
    });
    return section("probes", el("p", { "class": "quiet" }, say("probes_note")), wide(el("table", { "class": "probes" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("target")), el("td"), heads, el("th", { scope: "col" }, say("total")))),
      el("tbody", {}, rows))));
  }

  function cross(x) { return svg("path", { "class": "cross", d: "M" + (x - 4) + " 4l8 8m0 -8l-8 8" }); }

  // Seconds onto the axis: even about zero, logarithmic beyond a millisecond, so that 2 ms and 20 years both fit.
  function squeeze(value) {
    var size = Math.log10(1 + Math.abs(value) / 0.001);
    return value < 0 ? -size : size;
  }

  var TICKS = [[0, "0"], [0.01, "10 ms"], [1, "1 s"], [60, "1 min"], [3600, "1 h"], [86400, "1 d"], [31557600, "1 y"], [1e9, "30 y"]];

  function span(lo, hi) {
    function one(value) {
      var size = Math.abs(value), sign = value < 0 ? "-" : "+";
      if (size < 1) return sign + number(size * 1000) + " ms";
      if (size < 600) return sign + number(size, 3) + " s";
      if (size < 172800) return sign + number(size / 3600, 2) + " h";
      return sign + number(size / 86400, 1) + " d";
    }
    return one(lo) + " … " + one(hi);
  }

  function clock(host) {
    var seen = host.clock;
    if (!seen) return null;
    var bars = [];
    if (seen.lo !== null) bars.push({ name: word("script", "clock_machine"), lo: seen.lo, hi: seen.hi, kind: "own" });
    if (host.clock_before && host.clock_before.lo !== null) {
      bars.push({ name: word("script", "clock_was"), lo: host.clock_before.lo, hi: host.clock_before.hi, kind: "old" });
    }
    seen.sources.forEach(function (source) {
      if (source.lo !== null) {
        bars.push({ name: { tr: source.id, en: source.id }, lo: source.lo, hi: source.hi, kind: source.verdict === "agrees" ? "" : "bad" });
      }
    });
    var table = el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("source")), el("th", { scope: "col" }, say("verdict")), el("th", { scope: "col" }, say("difference")))),
      el("tbody", {}, seen.sources.map(function (source) {
        return el("tr", {}, el("th", { scope: "row" }, source.id, el("div", { "class": "quiet mono" }, source.host)),
          el("td", {}, both(word("source", source.verdict)), source.reason ? el("span", { "class": "quiet mono" }, " " + source.reason) : null),
          el("td", { "class": "mono" }, source.lo === null ? "–" : figure(span(source.lo, source.hi))));
      })));
    var limits = { pass: seen.pass_seconds === undefined ? 1 : seen.pass_seconds, warn: seen.warn_seconds === undefined ? 60 : seen.warn_seconds };
    return section("clock",
      el("p", {}, seen.lo === null ? say("clock_unmeasured") : el("strong", { "class": "mono" }, figure(span(seen.lo, seen.hi))), " ",
        seen.corroborated || seen.lo === null ? null : el("span", { "class": "tag warn" }, say("clock_uncorroborated"))),
      el("p", { "class": "quiet" }, say("clock_note", limits)),
      bars.length ? wide(picture(bars, limits)) : null, drift(host.trend),
      el("details", {}, el("summary", {}, say("source"), " (" + seen.sources.length + ")"), wide(table)));
  }

  function picture(bars, limits) {
    var left = 120, width = 560, step = 20, top = 6;
    var far = 1.4 * Math.max(squeeze(limits.warn), Math.max.apply(null, bars.map(function (bar) {
      return Math.max(Math.abs(squeeze(bar.lo)), Math.abs(squeeze(bar.hi)));
    })) / 1.3);
    function x(value) { return left + width / 2 + squeeze(value) / far * width / 2; }
    var height = top + bars.length * step + 4;
    var chart = svg("svg", { "class": "chart", viewBox: "0 0 700 " + (height + 18), role: "img" });
    labelled(chart, { tr: bars.map(function (bar) { return bar.name.tr + ": " + spoken(span(bar.lo, bar.hi)).tr; }).join("; "),
      en: bars.map(function (bar) { return bar.name.en + ": " + span(bar.lo, bar.hi); }).join("; ") });
    [["fail", left, width], ["warn", x(-limits.warn), x(limits.warn) - x(-limits.warn)], ["pass", x(-limits.pass), x(limits.pass) - x(-limits.pass)]].forEach(function (zone) {
      chart.appendChild(svg("rect", { "class": "zone-" + zone[0], x: zone[1], y: 0, width: zone[2], height: height }));
    });
    TICKS.forEach(function (tick) {
      (tick[0] ? [-1, 1] : [1]).forEach(function (sign) {
        var at = x(sign * tick[0]);
        if (at < left + 12 || at > left + width - 12) return;
        chart.appendChild(svg("line", { "class": tick[0] ? "grid" : "zero", x1: at, x2: at, y1: 0, y2: height }));
        twice(chart, { "class": "faint", x: at, y: height + 13, "text-anchor": "middle" }, spoken((sign < 0 ? "-" : tick[0] ? "+" : "") + tick[1]));
      });
    });
    bars.forEach(function (bar, index) {
      var y = top + index * step;
      twice(chart, { "class": "name", x: left - 8, y: y + 11, "text-anchor": "end" }, bar.name);
      var from = x(bar.lo), size = Math.max(x(bar.hi) - from, 3);
      chart.appendChild(svg("rect", { "class": "interval " + bar.kind, x: from, y: y + 3, width: size, height: bar.kind === "own" ? 10 : 7, rx: 1.5 }));
    });
    return chart;
  }

  // A text in a picture, once in each language; the style sheet shows one of them.
  function twice(chart, attributes, text) {
    ["tr", "en"].forEach(function (language) {
      var node = svg("text", attributes, text[language]);
      node.setAttribute("class", attributes["class"] + " only-" + language);
      chart.appendChild(node);
    });
  }

  function drift(trend) {
    if (!trend) return null;
    var first = trend.points[0][0], last = trend.points[trend.points.length - 1][0];
    var sizes = trend.points.map(function (point) { return point[1]; });
    var low = Math.min.apply(null, sizes), high = Math.max.apply(null, sizes), range = high - low || 1;
    var path = trend.points.map(function (point, index) {
      return (index ? "L" : "M") + (5 + (point[0] - first) / (last - first || 1) * 190) + " " + (35 - (point[1] - low) / range * 30);
    }).join("");
    var told = say(trend.rate < 0 ? "trend_ahead" : "trend_behind",
      { count: trend.count + 1, rate: spoken(number(Math.abs(trend.rate), 2)) });
    var chart = svg("svg", { "class": "chart small", viewBox: "0 0 200 40", "aria-hidden": "true", focusable: "false" }, svg("path", { "class": "path", d: path }));
    return el("p", {}, el("strong", {}, say("trend")), ": ", told, " ", trend.battery ? el("span", { "class": "tag warn" }, both(trend.battery)) : null, chart);
  }

  // ---- a host, opened

  function build(host) {
    var machine = host.machine || {};
    var known = [machine.hostname, machine.product, machine.version, machine.build, machine.hypervisor].filter(Boolean).join(" · ");
    return el("div", {},
      el("p", { "class": "quiet" }, known, known && host.observed ? " · " : "",
        host.observed ? say("observed_at", { time: host.observed.slice(0, 19).replace("T", " ") + " UTC", seconds: spoken(number((host.elapsed || 0) / 1000)) }) : null),
      host.error ? el("p", {}, el("strong", {}, say("error")), ": ", el("span", { "class": "mono" }, host.error)) : null,
      findings(host), changes(host), probes(host), clock(host));
  }

  function toggle(line, button) {
    var below = line.nextElementSibling;
    if (below && below.className === "detail") {
      below.hidden = !below.hidden;
      button.setAttribute("aria-expanded", String(!below.hidden));
      return Promise.resolve();
    }
    var cell = el("td", { colspan: "4" });
    line.parentNode.insertBefore(el("tr", { "class": "detail" }, cell), line.nextSibling);
    button.setAttribute("aria-expanded", "true");
    return details(line.getAttribute("data-b"), Number(line.getAttribute("data-i"))).then(build, function (error) {
      return el("p", {}, say(error.message === "old" ? "old_browser" : "broken"));
    }).then(function (made) { cell.appendChild(made); });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest ? event.target.closest("tr.host button") : null;
    if (button) toggle(button.closest("tr"), button);
  });

  // ---- search and filter

  var search = document.getElementById("search");
  if (!search) { restore(); return; }
  var chips = Array.prototype.slice.call(document.querySelectorAll(".chip[data-state]"));
  var clear = document.querySelector(".chip.clear");
  var firms = null;

  // Both kinds of Turkish i, and letters with and without their marks, find each other.
  function fold(text) {
    return text.replace(/[İIı]/g, "i").toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  }

  function index() {
    firms = Array.prototype.map.call(document.querySelectorAll(".firm"), function (firm) {
      var name = fold(firm.querySelector("h3").textContent);
      var all = Array.prototype.map.call(firm.querySelectorAll("tr.host"), function (line) {
        return { line: line, text: name + " " + fold(line.textContent), state: line.getAttribute("data-s"), shown: true };
      });
      var machines = firm.querySelector(".machines");
      return { firm: firm, hosts: all, machines: machines, open: machines.open, shown: true };
    });
  }

  function apply() {
    if (!firms) index();
    var asked = fold(search.value).split(/\s+/).filter(Boolean);
    var states = chips.filter(function (chip) { return chip.getAttribute("aria-pressed") === "true"; })
      .map(function (chip) { return chip.getAttribute("data-state"); });
    var narrowed = asked.length > 0 || states.length > 0;
    var shown = 0, total = 0;
    firms.forEach(function (firm) {
      var any = 0;
      firm.hosts.forEach(function (host) {
        var fits = (!states.length || states.indexOf(host.state) >= 0) &&
          asked.every(function (part) { return host.text.indexOf(part) >= 0; });
        total += 1;
        any += fits ? 1 : 0;
        if (fits !== host.shown) {
          host.shown = fits;
          host.line.hidden = !fits;
          var below = host.line.nextElementSibling;
          if (below && below.className === "detail") {
            below.hidden = !fits || host.line.querySelector("button").getAttribute("aria-expanded") !== "true";
          }
        }
      });
      if ((any > 0) !== firm.shown) {
        firm.shown = any > 0;
        firm.firm.hidden = !firm.shown;
      }
      if (firm.shown) firm.machines.open = narrowed || firm.open;
      shown += any;
    });
    clear.hidden = !narrowed;
    var told = document.getElementById("shown");
    told.textContent = "";
    put(told, say("shown", { shown: shown, total: total }));
    var nothing = document.getElementById("nothing");
    nothing.hidden = shown > 0;
    if (!nothing.firstChild) put(nothing, say("nothing"));
  }

  var waiting = 0;
  search.addEventListener("input", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(apply, 120);
  });
  search.form.addEventListener("submit", function (event) { event.preventDefault(); apply(); });
  chips.forEach(function (chip) {
    chip.addEventListener("click", function () {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      apply();
    });
  });
  function reset() {
    search.value = "";
    chips.forEach(function (chip) { chip.setAttribute("aria-pressed", "false"); });
    apply();
    search.focus();
  }
  clear.addEventListener("click", reset);
  document.addEventListener("keydown", function (event) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) reset();
  });
  search.form.hidden = false;
  restore();

  function restore() {
    var kept = null;
    try { kept = window.localStorage.getItem("edefter.language"); } catch (ignored) { kept = null; }
    if (kept === "tr" || kept === "en") speak(kept);
  }
})();
