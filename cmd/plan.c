/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/plan.h"

#include "base/text.h"
#include "cmd/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every line below the table is a word of this width and what there is to say about it. */
#define WORD "%-9s  "

static int show_download(struct run *run, const struct fetch_report *r, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	if (buf_printf(&run->out, e, WORD "%s", "download", text_size(size, r->forecast->download_bytes)))
		return -1;
	if (r->forecast->there_bytes &&
	    buf_printf(&run->out, e, "; %s are on this disk already", text_size(size, r->forecast->there_bytes)))
		return -1;
	if (!r->left_out)
		return buf_puts(&run->out, "\n", e);
	return buf_printf(&run->out, e, "\n" WORD, "left out") || show_count(&run->out, r->left_out, "layer", e) ||
			       buf_printf(&run->out, e, ", %s: the other side has %s\n",
					  text_size(size, r->left_out_bytes), r->left_out == 1 ? "it" : "them")
		       ? -1
		       : 0;
}

static int show_archive(struct run *run, const struct fetch_report *r, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	if (buf_printf(&run->out, e, WORD "%s", "archive", text_size(size, r->bytes)))
		return -1;
	if (r->chunk_count && (buf_puts(&run->out, " in ", e) || show_chunks(&run->out, r, e)))
		return -1;
	return buf_puts(&run->out, "\n", e);
}

/* Room on this side. */
static int show_here(struct run *run, const struct forecast *f, struct err *e)
{
	char size[TEXT_SIZE_CAP], left[TEXT_SIZE_CAP], folder[SHOW_NAME];

	if (buf_printf(&run->out, e, WORD "%s", "here", text_size(size, f->here_bytes)))
		return -1;
	if (!f->folder)
		return buf_puts(&run->out, " of disk\n", e);
	text_escape_str(folder, sizeof(folder), f->folder);
	if (!f->free_known)
		return buf_printf(&run->out, e, " of disk in %s, which is not there\n", folder);
	if (f->fits)
		return buf_printf(&run->out, e, " of disk in %s, where %s are free\n", folder,
				  text_size(left, f->free_bytes));
	return buf_printf(&run->out, e, " of disk in %s, where only %s are free: it does not fit\n", folder,
			  text_size(left, f->free_bytes));
}

/* And on the other: loading joins and copies nothing, what the target makes of it is its own. */
static int show_there(struct run *run, const struct fetch_report *r, struct err *e)
{
	char files[TEXT_SIZE_CAP], blobs[TEXT_SIZE_CAP], tar[TEXT_SIZE_CAP];

	return buf_printf(&run->out, e,
			  WORD "%s to carry, nothing is joined; a registry takes up to %s,\n" WORD
			       "docker %s while it loads and the room of the unpacked layers\n",
			  "there", text_size(files, r->forecast->here_bytes), text_size(blobs, r->forecast->load_bytes),
			  "", text_size(tar, r->bytes));
}

static int show_left(struct run *run, const struct flow_pulls *p, struct err *e)
{
	if (buf_printf(&run->out, e, "%" PRIu64, p->left) ||
	    (p->limit && buf_printf(&run->out, e, " of %" PRIu64, p->limit)) || buf_puts(&run->out, " left", e))
		return -1;
	if (p->window && buf_printf(&run->out, e, " (in %.3g h)", (double)p->window / 3600))
		return -1;
	return buf_printf(&run->out, e, ", %sthis fetch takes %" PRIu64 "%s\n", p->left < p->manifests ? "but " : "",
			  p->manifests, p->left < p->manifests ? ": it is not enough now" : "");
}

/* Who counts pulls: those that say so, and Docker Hub, whether it does or not. */
static int show_pulls(struct run *run, const struct forecast *f, struct err *e)
{
	char host[SHOW_NAME];

	for (size_t i = 0; i < f->pull_count; i++) {
		const struct flow_pulls *p = &f->pulls[i];
		if (!p->known && strcmp(p->host, "docker.io") != 0)
			continue;
		if (buf_printf(&run->out, e, WORD "%s: ", "pulls", text_escape_str(host, sizeof(host), p->host)))
			return -1;
		if (p->known ? show_left(run, p, e)
			     : buf_printf(&run->out, e, "this fetch takes %" PRIu64 "; it does not say what is left\n",
					  p->manifests))
			return -1;
	}
	return 0;
}

int plan_show(struct run *run, const struct fetch_report *r, struct err *e)
{
	if (show_images(&run->out, &r->images, r->forecast, e) || buf_puts(&run->out, "\nplan: ", e) ||
	    show_count(&run->out, r->images.count, "image", e) || show_referrers(&run->out, &r->images, e) ||
	    buf_puts(&run->out, "; nothing was downloaded but manifests, nothing was written\n", e))
		return -1;
	return show_download(run, r, e) || show_archive(run, r, e) || show_here(run, r->forecast, e) ||
			       show_there(run, r, e) || show_pulls(run, r->forecast, e)
		       ? -1
		       : 0;
}
