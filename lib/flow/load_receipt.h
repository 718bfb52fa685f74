/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_LOAD_RECEIPT_H
#define FLOW_LOAD_RECEIPT_H

#include "flow/archive.h"
#include "flow/receipt.h"
#include "target/target.h"

/* receipt_write() of what a load brought to `target` ("registry:HOST/PREFIX"). */
int load_receipt(struct receipt_file *file, const struct load_options *o, const struct archive *a, const char *target,
		 const struct load_result *result, struct err *e);

#endif
