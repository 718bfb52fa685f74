/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/check.h"

#include "oci/reference.h"

int flow_check_reference(const char *text, struct err *e)
{
	struct reference parsed;

	return reference_parse(&parsed, text, e);
}
