/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFHEAL_COMPAT_PIN_H
#define SELFHEAL_COMPAT_PIN_H

/* No unloading until reboot, `rmmod -f' included. Once; process context. */
void sh_module_pin(void);

#endif /* SELFHEAL_COMPAT_PIN_H */
