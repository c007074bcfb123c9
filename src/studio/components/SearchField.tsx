import { Search, X } from 'lucide-react';
import { SearchField as AriaSearchField, Button, Input, Label } from 'react-aria-components';
import './searchField.css';

export function SearchField({
  label,
  value,
  onChange,
}: {
  /** Stands in the empty field, too. */
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <AriaSearchField className="search" value={value} onChange={onChange}>
      <Label className="sr-only">{label}</Label>
      <Search size={15} aria-hidden />
      <Input className="text-input" placeholder={label} />
      {value !== '' && (
        <Button className="button" data-variant="icon">
          <X size={15} aria-hidden />
        </Button>
      )}
    </AriaSearchField>
  );
}
