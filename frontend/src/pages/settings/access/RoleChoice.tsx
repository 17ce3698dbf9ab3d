import { Radio } from '@mantine/core'
import type { Schema } from '../../../api/client'

export type Role = Schema<'Role'>

/** Which role somebody is to have; what each allows stands beside it. */
export function RoleChoice({
  roles,
  value,
  onChange,
}: {
  roles: readonly Schema<'RoleMeaning'>[]
  value: Role
  onChange: (role: Role) => void
}) {
  return (
    <Radio.Group label="Role" value={value} onChange={(role) => onChange(role as Role)}>
      <div className="access-scopes">
        {roles.map(({ role, meaning, yours }) => (
          <Radio
            key={role}
            value={role}
            label={role}
            disabled={!yours}
            description={yours ? meaning : `${meaning}; you may do less, and cannot give it`}
          />
        ))}
      </div>
    </Radio.Group>
  )
}
