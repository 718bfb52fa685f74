/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/sniff.h"

#include "base/own.h"
#include "base/text.h"
#include "pack/layout.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define REPLACED "\xef\xbf\xbd" /* U+FFFD in UTF-8: what bytes that are no text are turned into */
#define POWERSHELL "PowerShell's > or a copy as text changed it: use -o, or copy it as binary"

struct kind {
	const char *bytes;
	size_t len;
	const char *what;
};
#define KIND(bytes, what)                                                                                              \
	{                                                                                                              \
		bytes, sizeof(bytes) - 1, what                                                                         \
	}

static const struct kind kinds[] = {
	KIND("\xff\xfe", "UTF-16 text; " POWERSHELL),
	KIND("\xfe\xff", "UTF-16 text; " POWERSHELL),
	KIND("\x1f" REPLACED, "gzip that was treated as text; " POWERSHELL),
	KIND("(" REPLACED "/" REPLACED, "zstd that was treated as text; " POWERSHELL),
	KIND(REPLACED "7zXZ", "xz that was treated as text; " POWERSHELL),
	KIND("\xef\xbb\xbf", "text with a byte-order mark; " POWERSHELL),
	KIND("PK\x03\x04", "a zip file; unpack it first"),
	KIND("7z\xbc\xaf\x27\x1c", "a 7-Zip file; unpack it first"),
	KIND("Rar!\x1a\x07", "a RAR file; unpack it first"),
	KIND("\x7f"
	     "ELF",
	     "a program"),
	KIND("MZ", "a Windows program"),
	KIND("%PDF-", "a PDF document"),
	KIND("hsqs", "a SquashFS image"),
	KIND("version https://git-lfs", "a Git LFS pointer, not the file it stands for: run git lfs pull"),
	KIND("-----BEGIN ", "a PEM file (a key, certificate or signature)"),
};

/* Markup and JSON may have blanks in front. */
static const struct kind texts[] = {
	KIND("<!doctype html", "a web page (HTML): a login or error page of a proxy or download site"),
	KIND("<html", "a web page (HTML): a login or error page of a proxy or download site"),
	KIND("<?xml", "XML, perhaps the error of a download site"),
	KIND("<", "a web page or XML, perhaps the error of a download site"),
	KIND("{", "JSON: one paper of an image, or a server's error; an archive is expected"),
	KIND("[", "JSON: one paper of an image; an archive is expected"),
};

static const char *find_kind(const struct kind *list, size_t count, const char *head, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (len >= list[i].len && !strncasecmp(head, list[i].bytes, list[i].len))
			return list[i].what;
	return NULL;
}

static size_t utf8_length(const unsigned char *b, size_t left)
{
	size_t n = *b < 0x80                 ? 1
		   : *b >= 0xc2 && *b < 0xe0 ? 2
		   : *b >= 0xe0 && *b < 0xf0 ? 3
		   : *b >= 0xf0 && *b < 0xf5 ? 4
					     : 0;

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Printable, as far as it goes; its last character may be cut. */
bool sniff_is_text(const char *head, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_length((const unsigned char *)head + i, len - i);
		if (!n)
			return i && len - i < 4;
		if ((unsigned char)head[i] < ' ' && !strchr("\t\r\n", head[i] ? head[i] : 'x'))
			return false;
	}
	return true;
}

const char *sniff_damage(const char *head, size_t len)
{
	const char *what = find_kind(kinds, sizeof(kinds) / sizeof(kinds[0]), head, len);

	return what && strstr(what, POWERSHELL) ? what : NULL;
}

int sniff_refuse(const char *head, size_t len, struct err *e)
{
	const char *what = find_kind(kinds, sizeof(kinds) / sizeof(kinds[0]), head, len);
	size_t blanks = 0;
	size_t zeros = 0;
	char shown[64];

	if (!len)
		return err_set(e, ERR_CORRUPT, "is empty (0 bytes)");
	while (blanks < len && strchr(" \t\r\n", head[blanks] ? head[blanks] : 'x'))
		blanks++;
	if (!what && sniff_is_text(head, len))
		what = find_kind(texts, sizeof(texts) / sizeof(texts[0]), head + blanks, len - blanks);
	if (what)
		return err_set(e, ERR_CORRUPT, "is not an image archive: it seems to be %s", what);
	if (sniff_is_text(head, len))
		return err_set(e, ERR_CORRUPT, "is not an image archive: it seems to be text, \"%s\"",
			       text_escape(shown, sizeof(shown), head, len));
	while (zeros < len && !head[zeros])
		zeros++;
	if (zeros == len)
		return err_set(e, ERR_CORRUPT, "is not an image archive: it starts with nothing but zeros%s",
			       len == TAR_BLOCK ? " (an empty tar, or a copy that was never filled)" : "");
	if (len < TAR_BLOCK)
		return err_set(e, ERR_CORRUPT, "has %zu bytes: too short for an image archive; the copy was cut", len);
	return err_set(e, ERR_CORRUPT, "is not an image archive: no tar header stands at its start");
}

static bool has_file(const char *folder, const char *name)
{
	AUTO_MEM char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return false;
	}
	return !stat(path, &st) && S_ISREG(st.st_mode);
}

int sniff_refuse_folder(const char *path, struct err *e)
{
	if (has_file(path, "index.json") && has_file(path, "oci-layout"))
		return err_set(e, ERR_USAGE,
			       "is a folder with an OCI layout; put it into a tar: tar -C FOLDER -cf x.tar .");
	if (has_file(path, "manifest.json"))
		return err_set(e, ERR_USAGE,
			       "is a folder, an unpacked docker save it seems; put it into a tar: "
			       "tar -C FOLDER -cf x.tar .");
	return err_set(e, ERR_USAGE, "is a folder, and no archive and no chunks of one stand in it");
}

/* What a stretch of the file shows. */
struct traces {
	size_t lines;    /* LF */
	size_t crs;      /* CR LF among them */
	size_t replaced; /* U+FFFD */
	bool utf8;       /* all of it is */
};

static struct traces look(const char *bytes, size_t len)
{
	struct traces t = { .utf8 = true };

	for (size_t i = 0; i < len; i++) {
		t.lines += bytes[i] == '\n';
		t.crs += i && bytes[i] == '\n' && bytes[i - 1] == '\r';
	}
	/* The last character may be cut by the end of the stretch. */
	for (size_t i = 0, n; i + 4 <= len; i += n) {
		n = utf8_length((const unsigned char *)bytes + i, len - i);
		if (!n) {
			t.utf8 = false;
			break;
		}
		t.replaced += n == 3 && !memcmp(bytes + i, REPLACED, 3);
	}
	return t;
}

#define STRETCH (256u << 10)
#define ENOUGH 4 /* that many traces are no chance */

int sniff_explain(struct space *space, struct err *e)
{
	AUTO_MEM char *bytes = malloc(STRETCH);
	size_t len = space_size(space) < STRETCH ? (size_t)space_size(space) : STRETCH;

	if (!e || e->kind != ERR_CORRUPT || !bytes || space_pread(space, bytes, len, 0, NULL))
		return -1;
	struct traces t = look(bytes, len);
	if (t.utf8 && t.replaced >= ENOUGH)
		return err_hint(e, "its bytes were treated as text: " POWERSHELL);
	if (t.lines >= ENOUGH && t.crs == t.lines)
		return err_hint(e, "each line end in it is CR LF: " POWERSHELL);
	return -1;
}
