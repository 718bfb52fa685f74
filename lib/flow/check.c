/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/check.h"

#include "base/text.h"
#include "oci/reference.h"

int flow_check_reference(const char *text, struct err *e)
{
	struct reference parsed;
	char shown[160];

	if (reference_parse(&parsed, text, e))
		return err_at(e, "%s", text_escape_str(shown, sizeof(shown), text));
	return 0;
}
