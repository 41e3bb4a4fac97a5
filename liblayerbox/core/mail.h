/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of mail, as they are given to sendmail(8) as arguments. Pure. */
#pragma once

/* One or several with spaces between them: local names or USER@HOST. NULL, or why not: "must be ...". */
const char *mail_check(const char *value);
