/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/show.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

int show_count(struct buf *out, uint64_t count, const char *noun, struct err *e)
{
	return buf_printf(out, e, "%llu %s%s", (unsigned long long)count, noun, count == 1 ? "" : "s");
}

static const char *name_of(const struct flow_image *image, char out[SHOW_NAME])
{
	return image->name ? text_escape_str(out, SHOW_NAME, image->name) : "(no name)";
}

/* "linux/amd64", or "3 platforms". */
static const char *platform_of(const struct flow_image *image, char out[SHOW_NAME])
{
	if (image->platform_count == 1)
		return text_escape_str(out, SHOW_NAME, image->platforms[0].name);
	(void)snprintf(out, SHOW_NAME, "%zu platforms", image->platform_count);
	return out;
}

/* A row up to the name: platform and numbers, `more` NULL: without that column. */
static int show_row(struct buf *out, const struct flow_image *image, const struct forecast_image *more, size_t widest,
		    struct err *e)
{
	char platform[SHOW_NAME], size[TEXT_SIZE_CAP], digest[13];

	platform_of(image, platform);
	int pad = (int)(widest - text_columns(platform));
	if (buf_printf(out, e, "%s  %s%*s  %6zu  %7s  ", digest_short(&image->digest, digest), platform, pad, "",
		       image->layer_count, text_size(size, image->bytes)))
		return -1;
	return more ? buf_printf(out, e, "%8s  ", text_size(size, more->download)) : 0;
}

/* The image's name stands last: it has no width of its own, and so no table is broken by a long one. */
int show_images(struct buf *out, const struct flow_images *images, const struct forecast *plan, struct err *e)
{
	char text[SHOW_NAME];
	size_t widest = strlen("PLATFORM");

	for (size_t i = 0; i < images->count; i++) {
		size_t columns = text_columns(platform_of(&images->items[i], text));
		if (columns > widest)
			widest = columns;
	}
	if (buf_printf(out, e, "%-12s  %-*s  LAYERS     SIZE  %sIMAGE\n", "DIGEST", (int)widest, "PLATFORM",
		       plan ? "DOWNLOAD  " : ""))
		return -1;
	for (size_t i = 0; i < images->count; i++) {
		const struct flow_image *image = &images->items[i];
		if (show_row(out, image, plan ? &plan->images[i] : NULL, widest, e) ||
		    buf_printf(out, e, "%s\n", name_of(image, text)))
			return -1;
	}
	return 0;
}

/* What a layer is when it is not the usual tar in gzip; "" if it is. */
static const char *unusual(const char *media_type)
{
	if (!media_type || strstr(media_type, "gzip"))
		return "";
	if (strstr(media_type, "zstd"))
		return " zstd";
	return strstr(media_type, "tar") ? " tar" : "";
}

/* What belongs to the image: by which tag, or as what, and what of the image it is about. */
static int show_attached(struct buf *out, const struct flow_image *image, struct err *e)
{
	char text[SHOW_NAME], digest[DIGEST_TEXT_SIZE], size[TEXT_SIZE_CAP];

	if (!image->referrer_count)
		return 0;
	if (buf_puts(out, "  ", e) || show_count(out, image->referrer_count, "referrer", e) || buf_puts(out, "\n", e))
		return -1;
	for (size_t i = 0; i < image->referrer_count; i++) {
		const struct flow_referrer *r = &image->referrers[i];
		const char *word = r->tag ? strrchr(r->tag, '.') + 1 : r->type;
		if (buf_printf(out, e, "%8s %s %s\n", text_size(size, r->bytes), digest_text(&r->manifest, digest),
			       text_escape_str(text, sizeof(text), word)) ||
		    buf_printf(out, e, "      of %s\n", digest_text(&r->subject, digest)))
			return -1;
	}
	return 0;
}

/* Digests are whole here: this is where they are copied from. The line of a usual layer has 80 columns. */
int show_image(struct buf *out, const struct flow_image *image, struct err *e)
{
	char text[SHOW_NAME], digest[DIGEST_TEXT_SIZE], size[TEXT_SIZE_CAP];

	if (buf_printf(out, e, "%s\n", name_of(image, text)) ||
	    buf_printf(out, e, "  digest %s\n", digest_text(&image->digest, digest)))
		return -1;
	if (image->created && buf_printf(out, e, "  created %s\n", text_escape_str(text, sizeof(text), image->created)))
		return -1;
	for (size_t i = 0; i < image->platform_count; i++) {
		const struct flow_platform *p = &image->platforms[i];
		if (buf_printf(out, e, "  %s\n", text_escape_str(text, sizeof(text), p->name)) ||
		    buf_printf(out, e, "         %s\n", digest_text(&p->manifest, digest)))
			return -1;
	}
	if (buf_puts(out, "  ", e) || show_count(out, image->layer_count, "layer", e) || buf_puts(out, "\n", e))
		return -1;
	for (size_t i = 0; i < image->layer_count; i++) {
		const struct flow_layer *layer = &image->layers[i];
		if (buf_printf(out, e, "%8s %s%s%s\n", text_size(size, layer->bytes),
			       digest_text(&layer->digest, digest), unusual(layer->media_type),
			       layer->absent ? " (not in it)" : ""))
			return -1;
	}
	return show_attached(out, image, e);
}

int show_referrers(struct buf *out, const struct flow_images *images, struct err *e)
{
	char size[TEXT_SIZE_CAP];
	uint64_t bytes = 0;
	size_t n = 0;

	for (size_t i = 0; i < images->count; i++) {
		n += images->items[i].referrer_count;
		for (size_t k = 0; k < images->items[i].referrer_count; k++)
			bytes += images->items[i].referrers[k].bytes;
	}
	if (!n)
		return 0;
	return buf_puts(out, ", ", e) || show_count(out, n, "referrer", e) ||
			       buf_printf(out, e, " (%s)", text_size(size, bytes))
		       ? -1
		       : 0;
}

int show_chunks(struct buf *out, const struct fetch_report *r, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	if (show_count(out, r->chunk_count, "chunk", e) ||
	    buf_printf(out, e, " of %s", text_size(size, r->chunks[0].bytes)))
		return -1;
	if (!r->parity_count)
		return 0;
	return buf_puts(out, " and ", e) || show_count(out, r->parity_count, "parity file", e) ? -1 : 0;
}

int show_absent(struct buf *out, const struct verify_report *r, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	if (!r->absent_count)
		return 0;
	return buf_puts(out, "thin: relies on ", e) || show_count(out, r->absent_count, "blob", e) ||
			       buf_printf(out, e, " (%s) that %s not in it; only a target that has them can load it\n",
					  text_size(size, r->absent_bytes), r->absent_count == 1 ? "is" : "are")
		       ? -1
		       : 0;
}

/* What was written, file by file, so that a person can see that all of it came over. */
int show_files(struct buf *out, const struct fetch_report *r, struct err *e)
{
	char path[SHOW_NAME];

	if (!r->chunk_count)
		return 0;
	text_escape_str(path, sizeof(path), r->chunks[0].file);
	if (buf_printf(out, e, "%s", path))
		return -1;
	if (r->chunk_count > 1 &&
	    buf_printf(out, e, " to %s", text_escape_str(path, sizeof(path), r->chunks[r->chunk_count - 1].file)))
		return -1;
	for (size_t i = 0; i < r->parity_count; i++)
		if (buf_printf(out, e, ", %s", text_escape_str(path, sizeof(path), r->parity[i].file)))
			return -1;
	return buf_printf(out, e, ", %s\n", text_escape_str(path, sizeof(path), r->sums));
}

int show_unproved(struct buf *out, char *const *sentences, size_t count, struct err *e)
{
	char text[SHOW_NAME];

	for (size_t i = 0; i < count; i++) {
		if (buf_printf(out, e, "not checked: %s\n", text_escape_str(text, sizeof(text), sentences[i])))
			return -1;
	}
	return 0;
}

int show_problem(struct buf *out, const struct flow_problem *p, struct err *e)
{
	char text[SHOW_NAME];

	if (buf_puts(out, text_escape_str(text, sizeof(text), p->chunk), e))
		return -1;
	if (p->length && !p->whole &&
	    buf_printf(out, e, ": bytes %llu to %llu", (unsigned long long)p->offset,
		       (unsigned long long)(p->offset + p->length - 1)))
		return -1;
	if (!p->length && p->offset && buf_printf(out, e, ": at byte %llu", (unsigned long long)p->offset))
		return -1;
	if (p->member && buf_printf(out, e, ": %s", text_escape_str(text, sizeof(text), p->member)))
		return -1;
	if (p->image && buf_printf(out, e, ": image %s", text_escape_str(text, sizeof(text), p->image)))
		return -1;
	return buf_printf(out, e, ": %s\n", text_escape_str(text, sizeof(text), p->what));
}
