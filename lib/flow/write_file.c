/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/write_file.h"

#include "base/text.h"
#include "stream/space.h"

int write_file(const char *path, const struct buf *text, struct err *e)
{
	AUTO(space) s = space_stage(path, e);
	char shown[160];

	if (s && !space_reserve(s, text->len, e) && !space_pwrite(s, text->data, text->len, 0, e) &&
	    !space_commit(s, e))
		return 0;
	return err_at(e, "%s", text_escape_str(shown, sizeof(shown), path));
}
