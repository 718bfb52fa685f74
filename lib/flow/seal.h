/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_SEAL_H
#define FLOW_SEAL_H

/*
 * What stands beside the chunks of an archive: the sums file and the parity files. They are staged with the chunks, so
 * that a disk that is too small is found before a byte is downloaded, filled when every blob is right, and named last.
 */

#include "flow/flow.h"
#include "pack/layout.h"
#include "pack/sums.h"
#include "stream/space.h"

struct seal;

/* Takes the places of the files beside o->output and reserves their disk. All borrowed. ERR_LOCAL, ERR_USAGE. */
struct seal *seal_open(const struct fetch_options *o, const struct layout *layout, struct err *e);

/*
 * layout->members[member] is there and right. The chunks that are complete by this are summed up at once, while the
 * kernel still has their bytes. With parity that waits for seal_fill(), which reads all chunks side by side anyway.
 * From any thread.
 */
int seal_member(struct seal *s, size_t member, struct space *archive, struct err *e);

/* Over the complete archive: what is left of the sums, and the parity. */
int seal_fill(struct seal *s, struct space *archive, struct err *e);

/* fsync, pages dropped, parity and sums read back and compared. */
int seal_reread(struct seal *s, struct err *e);

/* The final names; the sums file's last. */
int seal_commit(struct seal *s, struct err *e);

/* The table, true after seal_fill(): borrowed. */
const struct sums *seal_sums(const struct seal *s);

void seal_free(struct seal *s);
OWNED(seal)

#endif
