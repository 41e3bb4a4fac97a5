/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers of the users and groups of a base. Files of containers have them, so an account keeps its number from
 * generation to generation. Trees are hostile.
 */
#pragma once

#include "../core/context.h"

/*
 * Has every account that is in both trees the same number? -LB_ERR_DAMAGED names the first that has not. @what names
 * the tree @before_fd in sentences.
 */
int numbers_check(struct lb_context *ctx, int before_fd, int after_fd, const char *what);

/*
 * Lays into @upper_fd, the upper layer over @lower_fd, what /etc/passwd, shadow, group and gshadow of @from_fd have and
 * those of @lower_fd have not: programs that add accounts then find them. -LB_ERR_DAMAGED where a number is taken.
 */
int numbers_carry(struct lb_context *ctx, int from_fd, int lower_fd, int upper_fd);
