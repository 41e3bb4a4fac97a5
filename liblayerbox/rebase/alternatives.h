/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* update-alternatives(1)'s files in var/lib/dpkg/alternatives, merged by choice. */
#pragma once

#include "three.h"

#include <stdbool.h>

/*
 * Merges one of them; NULL texts are allowed, *ret_text is NULL where none remains. *ret_automatic says that the links
 * have to be made anew with `update-alternatives --auto NAME`, since the best choice may be another now. 0, -ENOMEM, or
 * -EINVAL where the three cannot be read or have different links: then the container's should stay.
 */
int alternative_merge(const struct three_texts *texts, char **ret_text, bool *ret_automatic);
