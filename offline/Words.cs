// Copyright (c) 2026, edefter.ready contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

using System.Collections.Generic;
using System.Globalization;

namespace EdefterKontrol
{
	/// <summary>What the program says, in Turkish and English. {0} … are filled in the order given.</summary>
	internal sealed class Words
	{
		private static readonly Dictionary<string, string[]> Texts = Make();

		private readonly int column;

		public Words(string language)
		{
			column = language == "en" ? 1 : 0;
		}

		public string Say(string key, params object[] values)
		{
			return string.Format(CultureInfo.InvariantCulture, Texts[key][column], values);
		}

		private static Dictionary<string, string[]> Make()
		{
			Dictionary<string, string[]> t = new Dictionary<string, string[]>();
			t["title"] = Both("e-Defter bağlantı ve saat kontrolü", "e-Defter connection and clock check");
			t["version"] = Both("Sürüm {0}, adres listesi {1}", "Version {0}, list of addresses {1}");
			t["own_hash"] = Both("Bu programın SHA-256 özeti: {0}", "SHA-256 of this program: {0}");
			t["reads_only"] = Both(
				"Yalnızca okur: hiçbir ayarı değiştirmez, hiçbir şey kurmaz, parola sormaz. En çok {0} saniye sürer.",
				"It only reads: it changes no setting, installs nothing and asks for no password. It takes at most {0} seconds.");
			t["section.identity"] = Both("Bilgisayar", "Machine");
			t["section.network"] = Both("Ağ ayarları", "Network settings");
			t["section.proxy"] = Both("Ara sunucu ayarları", "Proxy settings");
			t["section.endpoints"] = Both("e-Defter adresleri", "e-Defter addresses");
			t["section.clock"] = Both("Saat ölçümü", "Clock measurement");
			t["section.time"] = Both("Saat dilimi ve Windows Saati", "Time zone and Windows Time");
			t["section.firewall"] = Both("Windows Defender Güvenlik Duvarı", "Windows Defender Firewall");
			t["done"] = Both("  [{0}/{1}] {2}: tamam ({3} sn)", "  [{0}/{1}] {2}: done ({3} s)");
			t["failed"] = Both("  [{0}/{1}] {2}: okunamadı ({3})", "  [{0}/{1}] {2}: could not be read ({3})");
			t["summary"] = Both("Ne görüldü:", "What was seen:");
			t["connects"] = Both("bağlandı", "connects");
			t["no_name"] = Both("adı çözülemedi", "its name does not resolve");
			t["no_tcp"] = Both("bağlantı kurulamadı", "no connection");
			t["no_tls"] = Both("bağlandı, güvenli kanal (TLS) kurulamadı", "connects, but no secure channel (TLS)");
			t["no_http"] = Both("bağlandı, web yanıtı gelmedi", "connects, but no web answer");
			t["via_proxy"] = Both("yalnızca ara sunucu üzerinden bağlandı", "connects through the proxy only");
			t["not_tried"] = Both("denenemedi", "could not be tried");
			t["clock_answers"] = Both("Saat kaynakları: {1} kaynaktan {0} yanıt", "Time sources: {0} of {1} answered");
			t["cut"] = Both("Süre doldu, bazı ölçümler yarım kaldı.", "Time ran out; some measurements were cut off.");
			t["not_admin"] = Both(
				"Yönetici hakları olmadan çalıştı. Göremedikleri (bilinmiyor sayılır):",
				"It ran without administrator rights. What it could not see (it counts as unknown):");
			t["not_admin_none"] = Both(
				"Yönetici hakları olmadan çalıştı; bu bilgisayarda bu yüzden göremediği bir şey olmadı.",
				"It ran without administrator rights; nothing stayed hidden from it on this machine.");
			t["unseen"] = Both("Göremedikleri (bilinmiyor sayılır):", "What it could not see (it counts as unknown):");
			t["users"] = Both("başka kullanıcıların ara sunucu ayarları (bu hesaba kapalı)", "the proxy settings of other users (closed to this account)");
			t["task"] = Both("zamanlanmış saat eşitleme görevi", "the scheduled time synchronisation task");
			t["services"] = Both("bir hizmetin durumu", "the state of a service");
			t["verdict"] = Both(
				"Hazır olup olmadığına bu program karar vermez: aşağıdaki dosya değerlendirilince belli olur.",
				"This program does not decide whether the machine is ready: that is said once the file below is judged.");
			t["written"] = Both("Sonuç dosyası: {0}", "Result file: {0}");
			t["elsewhere"] = Both(
				"(Dosya başka yere yazıldı, çünkü {0} konumuna yazılamadı: {1})",
				"(It was written elsewhere, as {0} cannot be written: {1})");
			t["send"] = Both("Bu dosyayı e-Defter sorumlunuza gönderin. İçinde parola ya da belge yoktur.", "Send this file to whoever looks after your e-Defter. It holds no password and no document.");
			t["nowhere"] = Both("Sonuç dosyası hiçbir yere yazılamadı: {0}", "The result file could not be written anywhere: {0}");
			t["press"] = Both("Kapatmak için bir tuşa basın.", "Press a key to close.");
			t["broke"] = Both("Program beklenmedik bir hatayla durdu: {0}", "The program stopped on an unexpected error: {0}");
			t["bad_option"] = Both("Bilinmeyen ya da eksik seçenek: {0}", "Unknown or incomplete option: {0}");
			t["usage"] = Both(
				"Kullanım: edefter-kontrol.exe [--firm AD] [--branch AD] [--out KLASÖR|DOSYA.json] [--lang tr|en] [--quiet] [--no-wait] [--version]",
				"Usage: edefter-kontrol.exe [--firm NAME] [--branch NAME] [--out FOLDER|FILE.json] [--lang tr|en] [--quiet] [--no-wait] [--version]");
			return t;
		}

		private static string[] Both(string turkish, string english)
		{
			return new string[] { turkish, english };
		}
	}
}
