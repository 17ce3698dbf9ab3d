import { Button, type ButtonProps, Tooltip } from '@mantine/core'
import type { ComponentProps } from 'react'
import { type Scope, useReasonAgainst } from '../session/rights'

type Props = ButtonProps & Omit<ComponentProps<'button'>, keyof ButtonProps> & { right: Scope }

/** A button for who has a right. To anybody else it does nothing, and says why when it is pointed at or focused. */
export function RightButton({ right, ...props }: Props) {
  const reason = useReasonAgainst(right)
  if (reason === null) return <Button {...props} />
  const { title: _, disabled: __, onClick: ___, type: ____, ...shown } = props
  return (
    <Tooltip label={reason} multiline w={280} events={{ hover: true, focus: true, touch: true }}>
      <Button {...shown} type="button" data-disabled aria-disabled onClick={(event) => event.preventDefault()} />
    </Tooltip>
  )
}
