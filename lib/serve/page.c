/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/page.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 1024

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Images on this server</title>\n<style>\n"
	":root{color-scheme:light dark;--line:#8885;--soft:#8881;--dim:#666}\n"
	"@media(prefers-color-scheme:dark){:root{--dim:#aaa}}\n"
	"*{box-sizing:border-box}\n"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.4rem;margin:.5rem 0}\n"
	"h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}\n"
	"article{border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:1rem 0}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:.5rem 0;font-size:.9rem}\n"
	"dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere;min-width:0}\n"
	"code,pre{font-family:ui-monospace,monospace;font-size:.85rem}\n"
	"pre{background:var(--soft);border-radius:.3rem;padding:.6rem;margin:.5rem 0 0;white-space:pre-wrap;"
	"overflow-wrap:anywhere}\n"
	"summary{cursor:pointer;padding:.3rem 0}\n"
	".dim{color:var(--dim);font-size:.9rem}\n"
	"nav a{display:inline-block;padding:.5rem 1rem .5rem 0}\n"
	"</style>\n</head>\n<body>\n";

int page_escape(const char *text, struct buf *out, struct err *e)
{
	char shown[SHOWN];

	text_escape_str(shown, sizeof(shown), text);
	for (const char *c = shown; *c; c++) {
		const char *as = *c == '&'   ? "&amp;"
				 : *c == '<' ? "&lt;"
				 : *c == '>' ? "&gt;"
				 : *c == '"' ? "&quot;"
					     : NULL;
		if (!as && *c == '\'')
			as = "&#39;";
		if (as ? buf_puts(out, as, e) : buf_add(out, c, 1, e))
			return -1;
	}
	return 0;
}

/* One image as the page shows it. */
struct entry {
	const struct catalog_repository *repository;
	const struct catalog_tag *tag;
};

/* "REPOSITORY:TAG", or by its digest if it has no tag. */
static void full_name(const struct entry *x, char out[SHOWN])
{
	char digest[DIGEST_TEXT_SIZE];

	if (*x->tag->tag)
		(void)snprintf(out, SHOWN, "%s:%s", x->repository->name, x->tag->tag);
	else
		(void)snprintf(out, SHOWN, "%s@%s", x->repository->name,
			       digest_text(&x->tag->root.blob->promise.digest, digest));
}

static int put_row(struct buf *out, const char *label, const char *value, struct err *e)
{
	return buf_printf(out, e, "<dt>%s</dt><dd>", label) || page_escape(value, out, e) || buf_puts(out, "</dd>\n", e)
		       ? -1
		       : 0;
}

static int put_platforms(const struct entry *x, struct buf *out, struct err *e)
{
	const struct pack_image *image = x->tag->image;
	char platform[PLATFORM_TEXT_SIZE];
	size_t put = 0;

	if (buf_puts(out, "<dt>Platforms</dt><dd>", e))
		return -1;
	for (size_t i = 0; i < image->manifest_count; i++) {
		if (!image->manifests[i].image)
			continue;
		if ((put++ && buf_puts(out, ", ", e)) ||
		    page_escape(platform_text(&image->manifests[i].platform, platform), out, e))
			return -1;
	}
	return buf_puts(out, put ? "</dd>\n" : "none: not an image that runs</dd>\n", e);
}

static int put_facts(const struct entry *x, struct buf *out, struct err *e)
{
	const struct pack_image *image = x->tag->image;
	const struct promise *root = &x->tag->root.blob->promise;
	char digest[DIGEST_TEXT_SIZE];
	char size[TEXT_SIZE_CAP];

	if (buf_puts(out, "<dl>\n", e) || put_row(out, "Digest", digest_text(&root->digest, digest), e))
		return -1;
	if (image->has_source && !digest_equal(&image->source.digest, &root->digest) &&
	    put_row(out, "Index", digest_text(&image->source.digest, digest), e))
		return -1;
	return put_platforms(x, out, e) ||
			       put_row(out, "Size", text_size(size, pack_image_bytes(x->tag->root.file->pack, image)),
				       e) ||
			       buf_puts(out, "</dl>\n", e)
		       ? -1
		       : 0;
}

/* WORDS HOST/NAME */
static int put_command(const struct page_wish *w, const char *words, const char *name, struct buf *out, struct err *e)
{
	return buf_printf(out, e, "%s ", words) || page_escape(w->host, out, e) || buf_puts(out, "/", e) ||
			       page_escape(name, out, e) || buf_puts(out, "\n", e)
		       ? -1
		       : 0;
}

static int put_commands(const struct page_wish *w, const char *name, struct buf *out, struct err *e)
{
	return buf_puts(out, "<details>\n<summary>Commands</summary>\n<pre>", e) ||
			       put_command(w, "docker pull", name, out, e) ||
			       put_command(w, w->tls ? "podman pull" : "podman pull --tls-verify=false", name, out,
					   e) ||
			       put_command(w,
					   w->tls ? "ctr -n k8s.io images pull"
						  : "ctr -n k8s.io images pull --plain-http",
					   name, out, e) ||
			       put_command(w, "crictl pull", name, out, e) || buf_puts(out, "</pre>\n</details>\n", e)
		       ? -1
		       : 0;
}

static int put_entry(const struct page_wish *w, const struct entry *x, struct buf *out, struct err *e)
{
	char name[SHOWN];

	full_name(x, name);
	return buf_puts(out, "<article>\n<h2>", e) || page_escape(name, out, e) || buf_puts(out, "</h2>\n", e) ||
			       put_facts(x, out, e) || put_commands(w, name, out, e) || buf_puts(out, "</article>\n", e)
		       ? -1
		       : 0;
}

static uint64_t count_images(const struct catalog *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < catalog_count(c); i++)
		n += catalog_at(c, i)->tag_count;
	return n;
}

static int put_intro(const struct page_wish *w, uint64_t images, struct buf *out, struct err *e)
{
	const char *scheme = w->tls ? "https" : "http";

	if (buf_puts(out, head, e) ||
	    buf_printf(out, e, "<h1>%" PRIu64 " image%s at ", images, images == 1 ? "" : "s") ||
	    page_escape(w->host, out, e) ||
	    buf_puts(out,
		     "</h1>\n<p>Read-only registry of imgpack. Pull by the name below, or let the nodes ask here first "
		     "and keep the images' own names.</p>\n",
		     e))
		return -1;
	if (buf_puts(out,
		     "<details>\n<summary>Nodes that ask here first</summary>\n<p class=\"dim\">Prints the settings "
		     "file "
		     "for a node, and says where it goes:</p>\n<pre>",
		     e))
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (buf_printf(out, e, "imgpack serve --print-config %s --url %s://",
			       (const char *const[]){ "containerd", "podman", "docker" }[i], scheme) ||
		    page_escape(w->host, out, e) || buf_puts(out, "\n", e))
			return -1;
	if (buf_puts(out, "</pre>\n</details>\n", e))
		return -1;
	if (!w->tls &&
	    (buf_puts(out,
		      "<p class=\"dim\">This server has no TLS. docker takes it from another machine with "
		      "<code>\"insecure-registries\": [\"",
		      e) ||
	     page_escape(w->host, out, e) ||
	     buf_puts(out, "\"]</code> in daemon.json; containerd and crictl by the settings above.</p>\n", e)))
		return -1;
	return w->login ? buf_puts(out,
				   "<p class=\"dim\">Log in first: <code>docker login</code>, "
				   "<code>podman login</code>, <code>ctr images pull --user</code>.</p>\n",
				   e)
			: 0;
}

static int put_links(uint64_t number, uint64_t pages, struct buf *out, struct err *e)
{
	if (pages < 2)
		return 0;
	if (buf_printf(out, e, "<nav>Page %" PRIu64 " of %" PRIu64 "<br>\n", number, pages) ||
	    (number > 1 && buf_printf(out, e, "<a href=\"/?page=%" PRIu64 "\">Previous</a>\n", number - 1)) ||
	    (number < pages && buf_printf(out, e, "<a href=\"/?page=%" PRIu64 "\">Next</a>\n", number + 1)))
		return -1;
	return buf_puts(out, "</nav>\n", e);
}

int page_html(const struct page_wish *w, struct buf *out, struct err *e)
{
	const uint64_t images = count_images(w->catalog);
	const uint64_t pages = images ? (images + PAGE_IMAGES - 1) / PAGE_IMAGES : 1;
	const uint64_t number = w->number < 1 ? 1 : w->number > pages ? pages : w->number;
	const uint64_t from = (number - 1) * PAGE_IMAGES;
	uint64_t at = 0;

	if (put_intro(w, images, out, e))
		return -1;
	for (size_t i = 0; i < catalog_count(w->catalog); i++) {
		const struct catalog_repository *r = catalog_at(w->catalog, i);
		for (size_t t = 0; t < r->tag_count; t++, at++) {
			const struct entry x = { r, &r->tags[t] };
			if (at >= from && at < from + PAGE_IMAGES && put_entry(w, &x, out, e))
				return -1;
		}
	}
	return put_links(number, pages, out, e) || buf_puts(out, "</body>\n</html>\n", e) ? -1 : 0;
}
