/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What apt-get does in a workshop. @security receives the names of packages that came from a security archive. */
#pragma once

#include "workshop.h"

/* Has the tree an apt-get? */
bool apt_is_there(int tree_fd);

/* update, full-upgrade, clean */
int apt_upgrade(const struct workshop *shop, struct text_list *security);

/* update, install of @packages, clean */
int apt_install(const struct workshop *shop, const struct text_list *packages, struct text_list *security);
