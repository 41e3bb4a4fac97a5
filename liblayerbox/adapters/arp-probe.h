/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does somebody on a bridge use an address already? The kernel's own neighbour discovery is asked: it sends the ARP
 * request when we begin, and knows the answer when we look. A packet socket would do as well, but closing one waits for
 * all processors of the machine (synchronize_net), which takes longer than creating a container.
 */
#pragma once

#include "../core/context.h"

struct arp_probe {
	int fd;                       /* netlink; -1: nothing was asked, and nobody will answer */
	int index;
	uint32_t address;             /* network byte order */
	int64_t begun_us;
};

/* Asks on @bridge who has @ipv4. Where the bridge is not there or down, that is no failure: nobody is on it. */
void arp_probe_begin(const char *bridge, const char *ipv4, struct arp_probe *ret_probe);

/*
 * Has somebody answered? Where nobody has yet, waits until @minimum_ms after the beginning and looks again.
 * @ret_mac (may be NULL) is written when somebody has, for the sentence; "" where it is not known.
 */
bool arp_probe_answered(const struct arp_probe *probe, unsigned minimum_ms, char ret_mac[18]);

/* Has the kernel forget the address, so that it does not go on asking. Done already where nothing was begun. */
void arp_probe_end(struct arp_probe *probe);

#define CLEANUP_ARP_PROBE CLEANUP(arp_probe_end)

/* What a probe that has not begun is initialised with. */
#define ARP_PROBE_NONE { .fd = -1 }
