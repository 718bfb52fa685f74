/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_RESUME_H
#define FLOW_RESUME_H

/* Bytes that need not be downloaded: an earlier run left them, or another archive has them. All before fill_run(). */

#include "flow/fill.h"

/*
 * What the journal says of this very layout is in the fill's own space: stretches whose bytes have their CRC are there.
 * The rest is fetched.
 */
int fill_resume(struct fill *f, const struct journal_read *old, struct err *e);

/* An earlier run's file with another layout (a tag has moved, an image was added): its good stretches are copied. */
int fill_import(struct fill *f, const struct journal_read *old, struct space *from, struct err *e);

/*
 * Blobs that another archive has, proved while they are copied. One that is damaged there is a warning, and is fetched.
 * ERR_ for an archive that cannot be opened: the user named it.
 */
int fill_take(struct fill *f, const char *archive, struct err *e);

#endif
